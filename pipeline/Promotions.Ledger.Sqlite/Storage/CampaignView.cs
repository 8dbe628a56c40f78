using Promotions.Domain.Campaigns;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Writing;

namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>What pricing looks at: campaigns whole in memory, coupons and arms looked up and kept within a bound, whatever their number.</summary>
/// <remarks>Coupons and arms are always the latest committed ones; a price that mixes two moments is caught by the ledger, which refuses a decision on a
/// coupon, version or arm that has moved on. A look-up that raced with a commit is not kept: the commit's stamp tells.</remarks>
internal sealed class CampaignLookups(ReaderPool readers) : ICampaignLookups
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
