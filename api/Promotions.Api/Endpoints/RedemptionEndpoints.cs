using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Answers;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;

namespace Promotions.Api.Endpoints;

/// <summary>What checkout asks in the course of an order.</summary>
internal static class RedemptionEndpoints
{
    private const string Tag = "Redemptions";

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("qualify", "POST", "/v1/qualifications", Access.Checkout, Tag, "What this cart can use, best first", QualifyAsync)
        {
            Request = ContractsJson.Default.RedemptionBody,
            HasId = true,
            Answers = [new(200, ContractsJson.Default.QualificationAnswer, "Every limit is counted; near misses say what is missing. An account that is frozen or blocked has neither, and `reason_code` says which.")],
            Problems = [ProblemKind.ChannelNotAllowed],
            Examples = [new("/v1/qualifications", 200, Examples.Qualification)],
        },
        new("validate", "POST", "/v1/validations", Access.Checkout, Tag, "What a redemption of exactly these would answer", ValidateAsync)
        {
            Description = "Books nothing. It is observed as an attempt, so that trying codes is seen.",
            Request = ContractsJson.Default.RedemptionBody,
            HasId = true,
            Answers = [new(200, ContractsJson.Default.RedemptionAnswer, "As it would be answered now.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.SameIdDifferentContent, ProblemKind.StaleCampaign],
            Examples = [new("/v1/validations", 200, Examples.Validation)],
        },
        new("redeem", "POST", "/v1/redemptions", Access.Checkout, Tag, "Price, decide and hold, in one step", RedeemAsync)
        {
            Description = "All redeemables apply, or none. The same id and content is answered as before, with Idempotency-Hit: true, and has one effect. "
                + $"{ApiCall.DeadlineHeader}: N lets nothing be booked later than N ms after arrival.",
            Request = ContractsJson.Default.RedemptionBody,
            HasId = true,
            Answers = [new(200, ContractsJson.Default.RedemptionAnswer, "Decided: approved, review, blocked or rejected.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.SameIdDifferentContent, ProblemKind.VoidedBefore, ProblemKind.DeadlinePassed, ProblemKind.StaleCampaign],
            Examples = [new("/v1/redemptions", 200, Examples.Redemption), new("/v1/redemptions", 200, Examples.RedemptionToVoid)],
        },
        new("get_redemption", "GET", "/v1/redemptions/{id}", Access.Checkout, Tag, "The recorded answer, and where its hold stands", GetAsync)
        {
            Answers = [new(200, ContractsJson.Default.RedemptionAnswer, "Keys other than the one that asked see 404; admins see it all, with the reasons of its score.")],
            Problems = [ProblemKind.UnknownRedemption],
            Examples = [new("/v1/redemptions/r-1001", 200)],
        },
        new("capture", "POST", "/v1/redemptions/{id}/capture", Access.Checkout, Tag, "The order is paid: keep what is held", CaptureAsync)
        {
            Answers = [new(200, ContractsJson.Default.RedemptionAnswer, "Captured, now or before.")],
            Problems = [ProblemKind.UnknownRedemption, ProblemKind.HoldExpired, ProblemKind.HoldVoided, ProblemKind.NothingHeld, ProblemKind.ReviewPending],
            Examples = [new("/v1/redemptions/r-1001/capture", 200)],
        },
        new("void", "POST", "/v1/redemptions/{id}/void", Access.Checkout, Tag, "The order is off: release what is held", VoidAsync)
        {
            Description = "An id that is not known yet is remembered, and the late request is then refused.",
            Request = ContractsJson.Default.VoidBody,
            RequestOptional = true,
            Answers = [new(200, ContractsJson.Default.RedemptionAnswer, "Voided, now or before."), new(202, ContractsJson.Default.VoidAnswer, "Not known yet; remembered.")],
            Problems = [ProblemKind.HoldExpired, ProblemKind.HoldCaptured, ProblemKind.NothingHeld],
            Examples = [new("/v1/redemptions/r-1002/void", 200, """{"reason": "payment failed"}"""), new("/v1/redemptions/r-never/void", 202)],
        },
    ];

    private static Task RedeemAsync(ApiCall call) => AttemptAsync(call, AttemptKind.Redemption);

    private static Task ValidateAsync(ApiCall call) => AttemptAsync(call, AttemptKind.Validation);

    private static async Task AttemptAsync(ApiCall call, AttemptKind kind)
    {
        if (await ReadAsync(call, kind, kind is AttemptKind.Redemption) is not { } request) return;
        var outcome = await call.Services.Gateway.RedeemAsync(request, CancellationToken.None).Bounded(call.Services);
        if (call.RefusedBy(outcome)) return;

        var decision = outcome.Decision ?? throw new InvalidOperationException("An accepted redemption has a decision.");
        if (decision.Proposal.Request.ApiKeyId != call.Key.Id)
        {
            call.Refuse(ProblemKind.SameIdDifferentContent);
            return;
        }
        if (ProblemKinds.From(decision.Refusal) is not ProblemKind.None and var problem)
        {
            call.Refuse(problem);
            return;
        }
        Answer(call, decision);
    }

    private static async Task QualifyAsync(ApiCall call)
    {
        if (await ReadAsync(call, AttemptKind.Validation, idNeeded: false) is not { } request) return;
        if (call.Services.Accounts.Standings.RefusalOf(request.Customer.Id, request.At) is not RefusalCode.None and var barred)
        {
            call.Answer(200, new QualificationAnswer([], [], Wire.Of(barred)), ContractsJson.Default.QualificationAnswer);      // and learns nothing about codes
            return;
        }
        var qualification = await call.Services.Gateway.QualifyAsync(request, CancellationToken.None).Bounded(call.Services);
        var currency = request.Cart.Currency;
        call.Answer(
            200,
            new QualificationAnswer(
                [.. qualification.Options.Select(offer => new OfferAnswer(
                    offer.CampaignId, offer.Code, offer.Name, new(offer.Discount, currency), new(offer.Total, currency), Tell(offer.Remaining, currency)))],
                [.. qualification.NearMisses.Select(miss => new NearMissAnswer(
                    miss.CampaignId, miss.Code, miss.Name, Wire.Of(miss.Refusal), miss.Missing > 0 ? new(miss.Missing, currency) : null))]),
            ContractsJson.Default.QualificationAnswer);
    }

    private static RemainingAnswer Tell(RemainingLimits remaining, string currency) => new(
        remaining.CampaignUses, remaining.BudgetMinorUnits is { } budget ? new MoneyBody(budget, currency) : null, remaining.CustomerUses, remaining.CouponUses);

    private static async ValueTask<RedemptionRequest?> ReadAsync(ApiCall call, AttemptKind kind, bool idNeeded)
    {
        if (await call.ReadAsync(ContractsJson.Default.RedemptionBody) is not { } body) return null;
        if (!(idNeeded ? call.TryId(body.Id, out var id) : TryAnyId(call, body.Id, out id)) || !call.TryDeadline(out var deadline)) return null;

        var errors = new FieldErrors();
        var request = RedemptionIntake.Read(body, kind, new Caller(id, call.Key.Id, call.At, deadline), errors, call.Services.Places);
        if (request is null) call.Refuse(errors);
        else if (!call.Key.Allows(request.Channel))
        {
            call.Refuse(ProblemKind.ChannelNotAllowed);
            return null;
        }
        return request;
    }

    private static bool TryAnyId(ApiCall call, string? bodyId, out string id)
    {
        var fine = call.TryOptionalId(bodyId, out var given);
        id = given ?? call.Services.Ids.Make("q");
        return fine;
    }

    private static Task GetAsync(ApiCall call)
    {
        if (FindVisible(call, call.PathValue("id"), out _) is { } decision) Answer(call, decision);
        else call.Refuse(ProblemKind.UnknownRedemption);
        return Task.CompletedTask;
    }

    private static async Task CaptureAsync(ApiCall call)
    {
        var id = call.PathValue("id");
        if (FindVisible(call, id, out _) is null)
        {
            call.Refuse(ProblemKind.UnknownRedemption);
            return;
        }
        AnswerHold(call, id, await call.Services.Gateway.CaptureAsync(new(id, call.Key.Id, call.At), CancellationToken.None).Bounded(call.Services));
    }

    private static async Task VoidAsync(ApiCall call)
    {
        var id = call.PathValue("id");
        string? reason = null;
        if (!call.HasNoBody)
        {
            if (await call.ReadAsync(ContractsJson.Default.VoidBody) is not { } body) return;
            var errors = new FieldErrors();
            reason = Check.OptionalText(errors, body.Reason, "/reason", Bounds.NoteMax);
            if (errors.Any)
            {
                call.Refuse(errors);
                return;
            }
        }
        if (!Identifier.IsValid(id))
        {
            call.Refuse(ProblemKind.InvalidRequest, "The path's id must be 1 to 64 of A-Z a-z 0-9 . _ : -");
            return;
        }
        // A stranger's redemption answers as an unknown one does, and stays as it is.
        if (FindVisible(call, id, out var exists) is null && exists)
        {
            AnswerRemembered(call, id);
            return;
        }
        AnswerHold(call, id, await call.Services.Gateway.VoidAsync(new(id, call.Key.Id, reason, call.At), CancellationToken.None).Bounded(call.Services));
    }

    private static void AnswerHold(ApiCall call, string id, LedgerOutcome outcome)
    {
        if (call.RefusedBy(outcome)) return;
        if (outcome.Decision is { } decision) Answer(call, decision);
        else AnswerRemembered(call, id);
    }

    private static void AnswerRemembered(ApiCall call, string id) => call.Answer(202, new VoidAnswer(id, "void_remembered"), ContractsJson.Default.VoidAnswer);

    /// <summary>The decision, when this key may know of it.</summary>
    private static Decision? FindVisible(ApiCall call, string id, out bool exists)
    {
        var decision = Identifier.IsValid(id) ? call.Services.Reader.FindDecision(id) : null;
        exists = decision is not null;
        return decision is not null && IsVisible(call, decision) ? decision : null;
    }

    internal static bool IsVisible(ApiCall call, Decision decision)
    {
        var request = decision.Proposal.Request;
        return call.Key.Allows(request.Channel) && (call.Key.IsAdmin || request.ApiKeyId == call.Key.Id);
    }

    private static void Answer(ApiCall call, Decision decision) => call.Answer(
        200, call.Key.IsAdmin ? RedemptionAnswers.ForAdmin(decision, call.Services.Explainer.Explain(decision)) : RedemptionAnswers.ForCheckout(decision), ContractsJson.Default.RedemptionAnswer);
}
