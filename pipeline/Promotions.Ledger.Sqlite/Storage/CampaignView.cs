using Promotions.Domain.Campaigns;
using Promotions.Ledger.Booking;

namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>What pricing looks at: campaigns whole in memory, coupons and arms looked up and kept within a bound, whatever their number.</summary>
/// <remarks>Coupons and arms are always the latest committed ones; a price that mixes two moments is caught by the ledger, which refuses a decision on a
/// coupon, version or arm that has moved on. A look-up that raced with a commit is not kept: the commit's stamp tells.</remarks>
internal sealed class CampaignLookups(ReaderPool readers)
{
    private const int Max = 200_000;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Coupon?> _coupons = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<Coupon>> _couponsOf = new(StringComparer.Ordinal);
    private readonly Dictionary<(string, string), Arm> _arms = [];
    private long _stamp;

    /// <summary>Called after a commit with what it changed.</summary>
    public void Publish(IReadOnlyList<LedgerEntry> entries)
    {
        lock (_gate)
        {
            _stamp++;
            foreach (var entry in entries)
            {
                foreach (var coupon in entry.Coupons)
                {
                    _coupons[coupon.Code] = coupon;
                    if (coupon.CustomerId is { } customer) _couponsOf.Remove(customer);
                }

                foreach (var arm in entry.Arms) _arms[(arm.CampaignId, arm.CustomerId)] = arm.Arm;
            }
        }
    }

    public Coupon? FindCoupon(string code) => Get(_coupons, code, static (db, key) =>
    {
        var row = db.Prepare($"SELECT {Rows.CouponColumns} FROM coupon WHERE code = ?").Bind(1, key);
        using (row.Scope()) return row.Step() ? Rows.ReadCoupon(row) : null;
    });

    public IReadOnlyList<Coupon> CouponsOf(string customerId) => Get(_couponsOf, customerId, static (db, key) =>
    {
        var coupons = new List<Coupon>();
        var rows = db.Prepare($"SELECT {Rows.CouponColumns} FROM coupon WHERE customer = ? ORDER BY code LIMIT 1000").Bind(1, key);
        using (rows.Scope())
            while (rows.Step()) coupons.Add(Rows.ReadCoupon(rows));
        return (IReadOnlyList<Coupon>)coupons;
    });

    public Arm FindArm(string campaignId, string customerId) => Get(_arms, (campaignId, customerId), static (db, key) =>
    {
        var row = db.Prepare("SELECT arm FROM arm WHERE campaign = ? AND customer = ?").Bind(1, key.Item1).Bind(2, key.Item2);
        using (row.Scope()) return row.Step() ? (Arm)row.Int(0) : Arm.None;
    });

    private TValue Get<TKey, TValue>(Dictionary<TKey, TValue> kept, TKey key, Func<Db, TKey, TValue> load) where TKey : notnull
    {
        long before;
        lock (_gate)
        {
            if (kept.TryGetValue(key, out var known)) return known;
            before = _stamp;
        }

        var value = readers.Read(db => load(db, key));
        lock (_gate)
        {
            if (before == _stamp)
            {
                if (kept.Count >= Max) kept.Clear();
                kept[key] = value;
            }
        }

        return value;
    }
}

/// <summary>One revision of the campaigns over the shared look-ups.</summary>
internal sealed class CampaignView : ICampaignSnapshot
{
    private readonly IReadOnlyDictionary<string, Campaign> _campaigns;
    private readonly CampaignLookups _lookups;
    private readonly Dictionary<string, Campaign> _publicByCode;

    public CampaignView(long revision, IReadOnlyDictionary<string, Campaign> campaigns, CampaignLookups lookups)
    {
        (Revision, _campaigns, _lookups) = (revision, campaigns, lookups);
        PublicCampaigns = [.. campaigns.Values.Where(c => c.Distribution is Distribution.Public && c.Active).OrderBy(c => c.Id, StringComparer.Ordinal)];
        _publicByCode = new(StringComparer.OrdinalIgnoreCase);
        foreach (var campaign in PublicCampaigns) _publicByCode.TryAdd(campaign.Id, campaign);
    }

    private CampaignView(CampaignView before) =>
        (Revision, _campaigns, _lookups, PublicCampaigns, _publicByCode) = (before.Revision + 1, before._campaigns, before._lookups, before.PublicCampaigns, before._publicByCode);

    public long Revision { get; }
    public IReadOnlyList<Campaign> PublicCampaigns { get; }

    public Campaign? FindCampaign(string campaignId) => _campaigns.GetValueOrDefault(campaignId);
    public Campaign? FindPublic(string code) => _publicByCode.GetValueOrDefault(code);
    public Coupon? FindCoupon(string code) => _lookups.FindCoupon(code);
    public IReadOnlyList<Coupon> CouponsOf(string customerId) => _lookups.CouponsOf(customerId);
    public Arm FindArm(string campaignId, string customerId) => _lookups.FindArm(campaignId, customerId);

    /// <summary>The same campaigns after a change of coupons.</summary>
    public CampaignView Next() => new(this);
}
