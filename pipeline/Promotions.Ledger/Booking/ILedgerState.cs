using Promotions.Domain;
using Promotions.Domain.Campaigns;

namespace Promotions.Ledger.Booking;

/// <summary>What the machine may look at and change in memory. A backend loads on demand (SQLite, inside its one writer) or ahead for a batch
/// (a server database, under locks in sorted order), and writes the entries' effects afterwards. One thread at a time.</summary>
/// <remarks>Objects are shared: what <c>Find</c> gives twice within a batch is the same instance, so that later commands see earlier effects.</remarks>
public interface ILedgerState
{
    RecordedCommand? FindCommand(string id);

    /// <summary>Opens it at zero when there is none.</summary>
    Account Account(AccountKey key);

    /// <summary>Lots with something remaining or held, in no order.</summary>
    IReadOnlyCollection<EarnedLot> OpenLotsOf(Account account);

    BookedDecision? FindDecision(string redemptionId);
    Campaign? FindCampaign(string campaignId);
    Coupon? FindCoupon(string code);
    Arm FindArm(string campaignId, string customerId);
    bool WasVoidedBefore(string redemptionId);
    BookedOrder? FindOrder(string orderId);

    /// <summary>Null while no reviewer answered.</summary>
    bool? FindReview(string redemptionId);

    string? FindSetting(string scope, string name);

    /// <summary>Open holds with an end at or before <paramref name="now"/>, earliest first.</summary>
    IReadOnlyList<BookedDecision> HoldsDue(EventTime now, int max);

    /// <summary>Lots with something remaining and an end at or before <paramref name="now"/>, earliest first.</summary>
    IReadOnlyList<EarnedLot> LotsDue(EventTime now, int max);

    /// <summary>A new lot with nothing in it yet.</summary>
    EarnedLot OpenLot(Account account, long quantity, EventTime earnedAt, EventTime? expiresAt, string origin);

    /// <summary>Makes an entry's effects visible to the commands behind it.</summary>
    void Apply(LedgerEntry entry);
}
