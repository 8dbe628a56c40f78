using System.Globalization;
using Promotions.Api.Bulk;
using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Ledger;

namespace Promotions.Api.Endpoints;

/// <summary>Codes and the coupons behind them.</summary>
internal static class CouponEndpoints
{
    private const string Tag = "Coupons";

    /// <summary>Up to so many are made while the caller waits.</summary>
    public const int AtOnceMax = 1_000;

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("make_codes", "POST", "/v1/campaigns/{id}/codes", Access.Admin, Tag, "New codes of a campaign", MakeAsync)
        {
            Description = "Codes that we make hold 65 random bits. Up to 1,000 are in the answer; more are made in the background and listed afterwards.",
            Request = ContractsJson.Default.CodesBody,
            HasId = true,
            Answers = [new(201, ContractsJson.Default.CodesAnswer, "Made, in order."), new(202, ContractsJson.Default.OperationAnswer, "Being made; Location is the operation.")],
            Problems = [ProblemKind.UnknownCampaign, ProblemKind.NoCoupons, ProblemKind.CodeTaken, ProblemKind.SameIdDifferentContent],
            Examples =
            [
                new("/v1/campaigns/summer-10/codes", 201, """{"id": "codes-1", "codes": ["SUMMER10"]}"""),
                new("/v1/campaigns/welcome-5/codes", 201, """{"id": "codes-2", "count": 3}"""),
                new("/v1/campaigns/summer-10/codes", 202, """{"id": "codes-3", "count": 1500, "uses_max": 1}"""),
            ],
        },
        new("list_codes", "GET", "/v1/campaigns/{id}/codes", Access.Admin, Tag, "The coupons of a campaign, by code", ListAsync)
        {
            Query = [new("max", "integer", "1 to 1000; 100 when left out."), new("after", "string", "From next_after of the page before.")],
            Answers = [new(200, ContractsJson.Default.CouponsAnswer, "One page.")],
            Problems = [ProblemKind.UnknownCampaign],
            Examples = [new("/v1/campaigns/summer-10/codes?max=10", 200)],
        },
        new("grant", "POST", "/v1/campaigns/{id}/grants", Access.Admin, Tag, "A coupon for each of many customers", GrantAsync)
        {
            Description = "Goes on in the bulk lane; decisions do not wait for it. Up to 100,000 customers, a body of up to 8 MiB.",
            Request = ContractsJson.Default.GrantBody,
            BodyMax = Bounds.GrantBodyMax,
            HasId = true,
            Answers = [new(202, ContractsJson.Default.OperationAnswer, "Being granted; Location is the operation.")],
            Problems = [ProblemKind.UnknownCampaign, ProblemKind.NoCoupons, ProblemKind.SameIdDifferentContent],
            Examples = [new("/v1/campaigns/welcome-5/grants", 202, """{"id": "grant-1", "customer_ids": ["c-42", "c-43", "c-44"]}""")],
        },
        new("get_operation", "GET", "/v1/operations/{id}", Access.Admin, Tag, "How far background work has come", OperationAsync)
        {
            Answers = [new(200, ContractsJson.Default.OperationAnswer, "Running, done or failed.")],
            Problems = [ProblemKind.NotFound],
            Examples = [new("/v1/operations/grant-1", 200)],
        },
        new("get_coupon", "GET", "/v1/coupons/{code}", Access.Admin, Tag, "One coupon", GetAsync)
        {
            Answers = [new(200, ContractsJson.Default.CouponAnswer, "As it stands.")],
            Problems = [ProblemKind.UnknownCoupon],
            Examples = [new("/v1/coupons/SUMMER10", 200)],
        },
        new("assign_coupon", "POST", "/v1/coupons/{code}/assign", Access.Admin, Tag, "Hand an unassigned coupon to a customer", AssignAsync)
        {
            Request = ContractsJson.Default.AssignBody,
            Answers = [new(200, ContractsJson.Default.CouponAnswer, "Assigned, now or before.")],
            Problems = [ProblemKind.UnknownCoupon, ProblemKind.CouponAssigned],
            Examples = [new("/v1/coupons/NEVER-MADE/assign", 404, """{"customer_id": "c-42"}""")],
        },
        new("revoke_coupon", "POST", "/v1/coupons/{code}/revoke", Access.Admin, Tag, "End a coupon", RevokeAsync)
        {
            Answers = [new(200, ContractsJson.Default.CouponAnswer, "Revoked, now or before.")],
            Problems = [ProblemKind.UnknownCoupon],
            Examples = [new("/v1/coupons/NEVER-MADE/revoke", 404)],
        },
    ];

    private static async Task MakeAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.CodesBody) is not { } body || !call.TryId(body.Id, out var id)) return;
        if (FindHandingOut(call) is not { } campaign) return;
        var errors = new FieldErrors();
        if (body.Count is null == (body.Codes is null)) errors.Add("", "required", "Give count or codes, one of the two.");
        var count = (int)(Check.OptionalWhole(errors, body.Count, "/count", 1, Bounds.CodesMax) ?? 0);
        var codes = Codes(errors, body.Codes);
        var usesMax = Check.OptionalWhole(errors, body.UsesMax, "/uses_max", 1, int.MaxValue) ?? (body.Codes is null ? 1 : null);
        if (errors.Any)
        {
            call.Refuse(errors);
            return;
        }

        var total = codes?.Length ?? count;
        string?[] content = ["codes", id, campaign.Id, call.Key.Id, usesMax?.ToString(CultureInfo.InvariantCulture), total.ToString(CultureInfo.InvariantCulture), .. codes ?? []];
        var atOnce = total <= AtOnceMax;
        if (await BeginAsync(call, "codes", id, campaign, content, codes, usesMax, total, atOnce) is not { } state) return;
        if (!atOnce) AnswerOperation(call, state);
        else if (state.Status == "failed") call.Refuse(ProblemKind.CodeTaken, state.Error);
        else AnswerMade(call, state, codes);
    }

    private static async Task GrantAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.GrantBody) is not { } body || !call.TryId(body.Id, out var id)) return;
        if (FindHandingOut(call) is not { } campaign) return;
        var errors = new FieldErrors();
        if (body.CustomerIds is null or []) errors.Add("/customer_ids", "required", "At least one.");
        var customers = Check.Ids(errors, body.CustomerIds, "/customer_ids", Bounds.GrantMax);
        if (!errors.Any && customers.Distinct(StringComparer.Ordinal).Count() != customers.Count) errors.Add("/customer_ids", "repeated", "A customer is named twice.");
        if (errors.Any)
        {
            call.Refuse(errors);
            return;
        }
        string?[] content = ["grant", id, campaign.Id, call.Key.Id, .. customers];
        if (await BeginAsync(call, "grant", id, campaign, content, customers, 1, customers.Count, atOnce: false) is { } state) AnswerOperation(call, state);
    }

    private static async Task<OperationState?> BeginAsync(
        ApiCall call, string kind, string id, Campaign campaign, string?[] content, IReadOnlyList<string>? items, long? usesMax, int total, bool atOnce)
    {
        var hash = Convert.ToHexStringLower(CanonicalHash.Of("operation", content).Span);
        var state = new OperationState(id, kind, "running", campaign.Id, call.Key.Id, hash, usesMax, 0, total, null, call.At.UnixMilliseconds, null);
        var begun = await call.Services.Operations.BeginAsync(state, items, atOnce, call.Key.Actor, CancellationToken.None).Bounded(call.Services);
        if (begun.State is null) call.Refuse(begun.Problem);
        else call.MarkRepeated(begun.Repeated);
        return begun.State;
    }

    private static void AnswerOperation(ApiCall call, OperationState state)
    {
        call.Context.Response.Headers.Location = $"/v1/operations/{state.Id}";
        call.Answer(202, BulkOperations.Tell(state), ContractsJson.Default.OperationAnswer);
    }

    private static void AnswerMade(ApiCall call, OperationState state, string[]? codes)
    {
        if (codes is null)
        {
            codes = new string[state.Total];
            for (var i = 0; i < codes.Length; i++) codes[i] = call.Services.Secret.Code(state.Id, i);
        }
        call.Answer(201, new CodesAnswer(state.Id, state.CampaignId, state.UsesMax, codes), ContractsJson.Default.CodesAnswer);
    }

    private static string[]? Codes(FieldErrors errors, string?[]? bodies)
    {
        if (bodies is null) return null;
        if (bodies.Length is 0 or > Bounds.ListMax)
        {
            errors.Add("/codes", "out_of_range", $"1 to {Bounds.ListMax}.");
            return [];
        }
        var codes = new string[bodies.Length];
        for (var i = 0; i < codes.Length; i++) codes[i] = Check.Code(errors, bodies[i], new At("/codes", i, ""));
        if (codes.Distinct(StringComparer.Ordinal).Count() != codes.Length) errors.Add("/codes", "repeated", "A code is named twice.");
        return codes;
    }

    private static Task ListAsync(ApiCall call)
    {
        if (!call.TryQuery("max", 1, 1_000, 100, out var max) || CampaignEndpoints.FindVisible(call) is not { } campaign) return Task.CompletedTask;
        var after = call.Context.Request.Query["after"].ToString();
        var coupons = call.Services.Reader.CouponsOfCampaign(campaign.Id, (int)max, after.Length == 0 ? null : after);
        call.Answer(200, new CouponsAnswer([.. coupons.Select(CampaignTexts.Tell)], coupons.Count == max ? coupons[^1].Code : null), ContractsJson.Default.CouponsAnswer);
        return Task.CompletedTask;
    }

    private static Task OperationAsync(ApiCall call)
    {
        var id = call.PathValue("id");
        if (Identifier.IsValid(id) && call.Services.Operations.Find(id) is { } state
            && call.Services.Ledger.Campaigns.FindCampaign(state.CampaignId) is { } campaign && call.Key.Allows(campaign))
            call.Answer(200, BulkOperations.Tell(state), ContractsJson.Default.OperationAnswer);
        else call.Refuse(ProblemKind.NotFound);
        return Task.CompletedTask;
    }

    private static Task GetAsync(ApiCall call)
    {
        if (FindVisible(call, call.PathValue("code")) is { } coupon) call.Answer(200, CampaignTexts.Tell(coupon), ContractsJson.Default.CouponAnswer);
        return Task.CompletedTask;
    }

    private static async Task AssignAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.AssignBody) is not { } body) return;
        var errors = new FieldErrors();
        var customerId = Check.Id(errors, body.CustomerId, "/customer_id");
        if (errors.Any) call.Refuse(errors);
        else if (await AssignToAsync(call, call.PathValue("code"), customerId) is { } coupon) call.Answer(200, CampaignTexts.Tell(coupon), ContractsJson.Default.CouponAnswer);
    }

    /// <returns>Null when refused; the refusal is written.</returns>
    internal static async Task<Coupon?> AssignToAsync(ApiCall call, string code, string customerId)
    {
        if (FindVisible(call, code) is not { } coupon) return null;
        if (coupon.CustomerId == customerId)
        {
            call.MarkRepeated(true);
            return coupon;
        }
        var command = new AssignCoupon(IdMaker.Derive("assign", coupon.Code, customerId), call.Key.Actor, call.At, coupon.Code, customerId);
        var outcome = await call.Services.Ledger.ExecuteAsync(command, Lane.Decision, CancellationToken.None).Bounded(call.Services);
        return call.RefusedBy(outcome) ? null : coupon with { CustomerId = customerId };
    }

    private static async Task RevokeAsync(ApiCall call)
    {
        if (FindVisible(call, call.PathValue("code")) is not { } coupon) return;
        if (!coupon.Revoked)
        {
            var command = new RevokeCoupon(IdMaker.Derive("revoke", coupon.Code), call.Key.Actor, call.At, coupon.Code);
            if (call.RefusedBy(await call.Services.Ledger.ExecuteAsync(command, Lane.Decision, CancellationToken.None).Bounded(call.Services))) return;
        }
        call.Answer(200, CampaignTexts.Tell(coupon with { Revoked = true }), ContractsJson.Default.CouponAnswer);
    }

    private static Coupon? FindVisible(ApiCall call, string code)
    {
        var campaigns = call.Services.Ledger.Campaigns;
        if (campaigns.FindCoupon(code.Trim().ToUpperInvariant()) is { } coupon && campaigns.FindCampaign(coupon.CampaignId) is { } campaign && call.Key.Allows(campaign)) return coupon;
        call.Refuse(ProblemKind.UnknownCoupon);
        return null;
    }

    internal static Campaign? FindHandingOut(ApiCall call)
    {
        if (CampaignEndpoints.FindVisible(call) is not { } campaign) return null;
        if (campaign.Distribution is not Distribution.Public) return campaign;
        call.Refuse(ProblemKind.NoCoupons);
        return null;
    }
}
