using Promotions.Domain.Campaigns;
using Promotions.Ledger;

namespace Promotions.Api.Problems;

/// <summary>Every way in which a request is refused. The wire code is the member in snake_case and never changes.</summary>
public enum ProblemKind
{
    None = 0,
    MalformedJson,
    UnknownField,
    DuplicateField,
    InvalidRequest,
    MissingId,
    IdConflict,
    NotAuthenticated,
    NotAllowed,
    ChannelNotAllowed,
    NotFound,
    MethodNotAllowed,
    BodyTooLarge,
    UnsupportedMediaType,
    RateLimited,
    Overloaded,
    TimedOut,
    LedgerUnavailable,
    OutOfRoom,
    ResultsUnavailable,
    InternalError,
    NoCoupons,
    LastAdminKey,
    SameIdDifferentContent,
    UnknownRedemption,
    HoldExpired,
    HoldVoided,
    HoldCaptured,
    NothingHeld,
    ReviewPending,
    VoidedBefore,
    UnknownCampaign,
    StaleCampaignVersion,
    CodeTaken,
    UnknownCoupon,
    CouponAssigned,
    DeadlinePassed,
    StaleCampaign,
    StalePolicyVersion,
    UnknownPolicyVersion,
    InvalidModel,
    UnknownModel,
    ModelState,
    SecondPersonNeeded,
    RetrainingUnavailable,
    RetrainingRuns,
    UnknownOrder,
    StaleStandingVersion,
    ReturnExceedsOrder,
    InvalidCommand,
}

/// <summary>The one place where a refusal becomes a status and a sentence.</summary>
public static class ProblemKinds
{
    /// <summary>HTTP status, title, and how long to wait before the same request may fare better (0: do not say).</summary>
    public static (int Status, string Title, int RetryAfterSeconds) Describe(ProblemKind kind) => kind switch
    {
        ProblemKind.MalformedJson => (400, "The body is not the JSON expected here.", 0),
        ProblemKind.UnknownField => (400, "The body or query has a field that this call does not know.", 0),
        ProblemKind.DuplicateField => (400, "A field of the body appears twice.", 0),
        ProblemKind.InvalidRequest => (400, "Some values are missing or not allowed.", 0),
        ProblemKind.MissingId => (400, "The request needs an id: in the body, or as Idempotency-Key.", 0),
        ProblemKind.IdConflict => (400, "The body's id and the Idempotency-Key differ.", 0),
        ProblemKind.NotAuthenticated => (401, "A valid API key is needed.", 0),
        ProblemKind.NotAllowed => (403, "The key's scopes do not allow this call.", 0),
        ProblemKind.ChannelNotAllowed => (403, "The key is not for this channel.", 0),
        ProblemKind.NotFound => (404, "There is nothing here.", 0),
        ProblemKind.MethodNotAllowed => (405, "This address does not take this method.", 0),
        ProblemKind.BodyTooLarge => (413, "The body is too large.", 0),
        ProblemKind.UnsupportedMediaType => (415, "The body must be application/json, not compressed.", 0),
        ProblemKind.RateLimited => (429, "Too many requests.", 1),
        ProblemKind.Overloaded => (503, "Too many requests are being answered.", 1),
        ProblemKind.TimedOut => (503, "No answer in time; whether it took effect is unknown. Ask again with the same id.", 1),
        ProblemKind.LedgerUnavailable => (503, "The ledger does not answer; whether it took effect is unknown. Ask again with the same id.", 1),
        ProblemKind.OutOfRoom => (507, "The ledger's disk is full; nothing was booked. Ask again with the same id when there is room.", 30),
        ProblemKind.ResultsUnavailable => (503, "The analytics store does not answer. Decisions are not affected.", 5),
        ProblemKind.InternalError => (500, "Something broke on our side.", 0),
        ProblemKind.NoCoupons => (409, "A public campaign has no coupons to hand out.", 0),
        ProblemKind.LastAdminKey => (409, "The last admin key cannot be revoked.", 0),
        ProblemKind.SameIdDifferentContent => (422, "This id was used before with other content.", 0),
        ProblemKind.UnknownRedemption => (404, "No such redemption.", 0),
        ProblemKind.HoldExpired => (409, "The hold has expired.", 0),
        ProblemKind.HoldVoided => (409, "The hold was voided.", 0),
        ProblemKind.HoldCaptured => (409, "The hold was captured.", 0),
        ProblemKind.NothingHeld => (409, "Nothing is held for this redemption.", 0),
        ProblemKind.ReviewPending => (409, "A review must be answered first.", 0),
        ProblemKind.VoidedBefore => (409, "This id was voided before the request came.", 0),
        ProblemKind.UnknownCampaign => (404, "No such campaign.", 0),
        ProblemKind.StaleCampaignVersion => (409, "The campaign has a newer version than this edit was made on.", 0),
        ProblemKind.StalePolicyVersion => (409, "The policy has a newer version than the one to be replaced.", 0),
        ProblemKind.UnknownPolicyVersion => (404, "No such version of the policy.", 0),
        ProblemKind.InvalidModel => (422, "The model file cannot serve.", 0),
        ProblemKind.UnknownModel => (404, "No such model.", 0),
        ProblemKind.ModelState => (409, "The model's state does not allow this.", 0),
        ProblemKind.SecondPersonNeeded => (409, "Who proposed the promotion cannot confirm it: another person's key is needed.", 0),
        ProblemKind.RetrainingUnavailable => (409, "Nothing can be learned here.", 0),
        ProblemKind.RetrainingRuns => (409, "A retraining is going on.", 30),
        ProblemKind.StaleStandingVersion => (409, "The account's standing was changed meanwhile.", 0),
        ProblemKind.UnknownOrder => (404, "No such order.", 0),
        ProblemKind.ReturnExceedsOrder => (409, "More is given back than is left of the order.", 0),
        ProblemKind.CodeTaken => (409, "One of the codes exists.", 0),
        ProblemKind.UnknownCoupon => (404, "No such coupon.", 0),
        ProblemKind.CouponAssigned => (409, "The coupon belongs to a customer.", 0),
        ProblemKind.DeadlinePassed => (504, "The deadline passed; nothing was booked. Ask again with a new deadline.", 0),
        ProblemKind.StaleCampaign => (503, "Campaigns change faster than the request can be priced. Ask again.", 1),
        ProblemKind.InvalidCommand => (422, "The ledger cannot book this.", 0),
        ProblemKind.None or _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a problem."),
    };

    public static ProblemKind From(LedgerRefusal refusal) => refusal switch
    {
        LedgerRefusal.None => ProblemKind.None,
        LedgerRefusal.SameIdDifferentContent => ProblemKind.SameIdDifferentContent,
        LedgerRefusal.UnknownRedemption => ProblemKind.UnknownRedemption,
        LedgerRefusal.HoldExpired => ProblemKind.HoldExpired,
        LedgerRefusal.HoldVoided => ProblemKind.HoldVoided,
        LedgerRefusal.HoldCaptured => ProblemKind.HoldCaptured,
        LedgerRefusal.NothingHeld => ProblemKind.NothingHeld,
        LedgerRefusal.ReviewPending => ProblemKind.ReviewPending,
        LedgerRefusal.VoidedBefore => ProblemKind.VoidedBefore,
        LedgerRefusal.UnknownCampaign => ProblemKind.UnknownCampaign,
        LedgerRefusal.StaleCampaignVersion => ProblemKind.StaleCampaignVersion,
        LedgerRefusal.CodeTaken => ProblemKind.CodeTaken,
        LedgerRefusal.UnknownCoupon => ProblemKind.UnknownCoupon,
        LedgerRefusal.CouponAssigned => ProblemKind.CouponAssigned,
        LedgerRefusal.DeadlinePassed => ProblemKind.DeadlinePassed,
        LedgerRefusal.StaleCampaign => ProblemKind.StaleCampaign,
        LedgerRefusal.InvalidCommand => ProblemKind.InvalidCommand,
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "Give it a problem."),
    };

    /// <summary>A rule's or limit's refusal is an answer (200, status <c>rejected</c>), so it is no problem; those that are never recorded as a decision are.</summary>
    public static ProblemKind From(RefusalCode code) => code switch
    {
        RefusalCode.None or RefusalCode.NotAvailable or RefusalCode.CampaignNotStarted or RefusalCode.CampaignEnded or RefusalCode.CampaignInactive
            or RefusalCode.ChannelNotAllowed or RefusalCode.CurrencyMismatch or RefusalCode.SpendBelowMinimum or RefusalCode.SpendAboveMaximum
            or RefusalCode.NoMatchingLines or RefusalCode.CouponRevoked or RefusalCode.NotCombinable or RefusalCode.AmountExceedsOrder
            or RefusalCode.DuplicateRedeemable or RefusalCode.CouponUsesExhausted or RefusalCode.CampaignUsesExhausted or RefusalCode.CustomerUsesExhausted
            or RefusalCode.BudgetExhausted or RefusalCode.InsufficientBalance or RefusalCode.ScorerUnavailable
            or RefusalCode.AccountFrozen or RefusalCode.AccountBlocked => ProblemKind.None,
        RefusalCode.StaleCampaign => ProblemKind.StaleCampaign,
        RefusalCode.DeadlinePassed => ProblemKind.DeadlinePassed,
        RefusalCode.VoidedBefore => ProblemKind.VoidedBefore,
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, "Say whether it is a problem."),
    };

    /// <summary>From the code of a body that could not be read.</summary>
    public static ProblemKind FromField(string code) => code switch
    {
        "unknown_field" => ProblemKind.UnknownField,
        "duplicate_field" => ProblemKind.DuplicateField,
        "wrong_type" => ProblemKind.InvalidRequest,
        _ => ProblemKind.MalformedJson,
    };
}
