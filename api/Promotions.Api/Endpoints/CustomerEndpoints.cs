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

/// <summary>What a customer has: coupons and balances.</summary>
internal static class CustomerEndpoints
{
    private const string Tag = "Customers";

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("give_coupon", "POST", "/v1/customers/{id}/coupons", Access.Admin, Tag, "Give a customer a coupon", GiveAsync)
        {
            Request = ContractsJson.Default.CustomerCouponBody,
            HasId = true,
            Answers = [new(201, ContractsJson.Default.CouponAnswer, "Given, now or before.")],
            Problems = [ProblemKind.UnknownCampaign, ProblemKind.UnknownCoupon, ProblemKind.CouponAssigned, ProblemKind.NoCoupons, ProblemKind.SameIdDifferentContent],
            Examples = [new("/v1/customers/c-42/coupons", 201, """{"id": "gift-1", "campaign_id": "welcome-5"}""")],
        },
        new("list_customer_coupons", "GET", "/v1/customers/{id}/coupons", Access.Checkout, Tag, "The coupons assigned to a customer", CouponsAsync)
        {
            Answers = [new(200, ContractsJson.Default.CustomerCouponsAnswer, "Empty for a customer that we never saw.")],
            Examples = [new("/v1/customers/c-42/coupons", 200)],
        },
        new("deposit", "POST", "/v1/customers/{id}/deposits", Access.Admin, Tag, "Put money into a customer's cash balance", DepositAsync)
        {
            Request = ContractsJson.Default.DepositBody,
            HasId = true,
            Answers = [new(200, ContractsJson.Default.RecordedAnswer, "Booked.")],
            Problems = [ProblemKind.SameIdDifferentContent, ProblemKind.InvalidCommand],
            Examples = [new("/v1/customers/c-42/deposits", 200, """{"id": "dep-1", "amount": {"amount": 2500, "currency": "EUR"}, "reason": "bank transfer"}""")],
        },
        new("grant_points", "POST", "/v1/customers/{id}/points", Access.Admin, Tag, "Grant points as one lot", PointsAsync)
        {
            Request = ContractsJson.Default.PointsBody,
            HasId = true,
            Answers = [new(200, ContractsJson.Default.RecordedAnswer, "Booked.")],
            Problems = [ProblemKind.SameIdDifferentContent, ProblemKind.InvalidCommand],
            Examples = [new("/v1/customers/c-42/points", 200, """{"id": "pts-1", "points": 500, "expires_at": "2099-01-01T00:00:00Z"}""")],
        },
        new("balances", "GET", "/v1/customers/{id}/balances", Access.Checkout, Tag, "A customer's balances with their lots", BalancesAsync)
        {
            Answers = [new(200, ContractsJson.Default.BalancesAnswer, "Empty for a customer that we never saw.")],
            Examples = [new("/v1/customers/c-42/balances", 200)],
        },
    ];

    private static async Task GiveAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.CustomerCouponBody) is not { } body || !TryCustomer(call, out var customerId)) return;
        var errors = new FieldErrors();
        if (body.CampaignId is null && body.Code is null) errors.Add("", "required", "Give campaign_id for a new coupon, code for an unassigned one, or both for a new one of that code.");
        var campaignId = Check.OptionalId(errors, body.CampaignId, "/campaign_id");
        var code = body.Code is null ? null : Check.Code(errors, body.Code, "/code");
        if (errors.Any) call.Refuse(errors);
        else if (campaignId is null)
        {
            if (await CouponEndpoints.AssignToAsync(call, code!, customerId) is { } coupon) call.Answer(201, CampaignTexts.Tell(coupon), ContractsJson.Default.CouponAnswer);
        }
        else if (FindHandingOut(call, campaignId) is { } campaign)
        {
            if (code is null) await GiveNewAsync(call, body.Id, campaign, customerId);
            else await GiveNamedAsync(call, body.Id, campaign, code, customerId);
        }
    }

    /// <summary>A code of our making: the id is needed, since it is what makes a retry the same coupon.</summary>
    private static async Task GiveNewAsync(ApiCall call, string? bodyId, Campaign campaign, string customerId)
    {
        if (!call.TryId(bodyId, out var id)) return;
        await call.Services.Secret.EnsureAsync(call.Aborted);
        await AddAsync(call, id, campaign, call.Services.Secret.Code(id, 0), customerId);
    }

    /// <summary>A code of the caller's: it names the coupon, so that asking twice is one coupon with or without an id.</summary>
    private static async Task GiveNamedAsync(ApiCall call, string? bodyId, Campaign campaign, string code, string customerId)
    {
        if (!call.TryOptionalId(bodyId, out var id)) return;
        if (call.Services.Ledger.Campaigns.FindCoupon(code) is { CustomerId: null } existing && existing.CampaignId == campaign.Id)
        {
            if (await CouponEndpoints.AssignToAsync(call, code, customerId) is { } coupon) call.Answer(201, CampaignTexts.Tell(coupon), ContractsJson.Default.CouponAnswer);
            return;
        }
        await AddAsync(call, id ?? IdMaker.Derive("coupon", campaign.Id, code, customerId), campaign, code, customerId);
    }

    private static async Task AddAsync(ApiCall call, string id, Campaign campaign, string code, string customerId)
    {
        var outcome = await ExecuteAsync(call, new AddCoupons(id, call.Key.Actor, call.At, campaign.Id, [new NewCoupon(code, customerId, 1)]));
        if (call.RefusedBy(outcome)) return;
        var coupon = call.Services.Ledger.Campaigns.FindCoupon(code) ?? new Coupon(code, campaign.Id, customerId, 1, false, call.At);
        call.Answer(201, CampaignTexts.Tell(coupon), ContractsJson.Default.CouponAnswer);
    }

    private static Campaign? FindHandingOut(ApiCall call, string campaignId)
    {
        var campaign = call.Services.Ledger.Campaigns.FindCampaign(campaignId);
        if (campaign is null || !call.Key.Allows(campaign)) call.Refuse(ProblemKind.UnknownCampaign);
        else if (campaign.Distribution is Distribution.Public) call.Refuse(ProblemKind.NoCoupons);
        else return campaign;
        return null;
    }

    private static Task CouponsAsync(ApiCall call)
    {
        if (!TryCustomer(call, out var customerId)) return Task.CompletedTask;
        var coupons = call.Services.Reader.CouponsOf(customerId).Where(one => call.Key.Allows(one.Campaign)).Select(one => new CustomerCouponAnswer(
            one.Coupon.Code, one.Campaign.Id, one.Campaign.Name, one.Coupon.Revoked, one.Coupon.UsesMax, one.Uses, one.Held, one.Campaign.StartsAt.ToString(), Wire.Of(one.Campaign.EndsAt)));
        call.Answer(200, new CustomerCouponsAnswer(customerId, [.. coupons]), ContractsJson.Default.CustomerCouponsAnswer);
        return Task.CompletedTask;
    }

    private static async Task DepositAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.DepositBody) is not { } body || !call.TryId(body.Id, out var id) || !TryCustomer(call, out var customerId)) return;
        var errors = new FieldErrors();
        var currency = Check.Currency(errors, body.Amount?.Currency, "/amount/currency");
        var amount = Check.Money(errors, body.Amount, currency, "/amount", 1, Bounds.AmountMax);
        var reason = Check.OptionalText(errors, body.Reason, "/reason", Bounds.NoteMax);
        if (errors.Any) call.Refuse(errors);
        else call.AnswerRecorded(id, await ExecuteAsync(call, new DepositCash(id, call.Key.Actor, call.At, customerId, currency, amount, reason)));
    }

    private static async Task PointsAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.PointsBody) is not { } body || !call.TryId(body.Id, out var id) || !TryCustomer(call, out var customerId)) return;
        var errors = new FieldErrors();
        var points = Check.Whole(errors, body.Points, "/points", 1, Bounds.PointsMax);
        var expiresAt = Check.OptionalTime(errors, body.ExpiresAt, "/expires_at");
        if (expiresAt <= call.At) errors.Add("/expires_at", "out_of_range", "Must be in the future.");
        var reason = Check.OptionalText(errors, body.Reason, "/reason", Bounds.NoteMax);
        if (errors.Any) call.Refuse(errors);
        else call.AnswerRecorded(id, await ExecuteAsync(call, new GrantPoints(id, call.Key.Actor, call.At, customerId, points, expiresAt, reason)));
    }

    private static Task<LedgerOutcome> ExecuteAsync(ApiCall call, LedgerCommand command) =>
        call.Services.Ledger.ExecuteAsync(command, Lane.Decision, CancellationToken.None).Bounded(call.Services);

    private static Task BalancesAsync(ApiCall call)
    {
        if (!TryCustomer(call, out var customerId)) return Task.CompletedTask;
        var balances = call.Services.Reader.BalancesOf(customerId).Select(balance => new BalanceAnswer(
            balance.Segment, QuantityBody.Of(balance.Available, balance.Unit), QuantityBody.Of(balance.Held, balance.Unit),
            [.. balance.Lots.Select(lot => new LotAnswer(lot.Id, lot.Quantity, lot.Remaining, lot.Held, lot.EarnedAt.ToString(), Wire.Of(lot.ExpiresAt), lot.Origin))]));
        call.Answer(200, new BalancesAnswer(customerId, [.. balances]), ContractsJson.Default.BalancesAnswer);
        return Task.CompletedTask;
    }

    private static bool TryCustomer(ApiCall call, out string customerId)
    {
        customerId = call.PathValue("id");
        if (Identifier.IsValid(customerId)) return true;
        call.Refuse(ProblemKind.NotFound);
        return false;
    }
}
