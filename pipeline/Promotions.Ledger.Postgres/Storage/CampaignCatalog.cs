using Npgsql;
using Promotions.Domain.Campaigns;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Formats;
using Promotions.Ledger.Writing;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>The latest campaigns in memory, coupons and arms looked up each time: another process may have changed them a moment ago.</summary>
internal sealed class CampaignCatalog
{
    private readonly Lock _gate = new();
    private readonly CouponLookups _lookups;
    private CampaignView _view;
    private long _versions = -1;

    public CampaignCatalog(NpgsqlDataSource source)
    {
        _lookups = new(source);
        _view = new(1, new Dictionary<string, Campaign>(StringComparer.Ordinal), _lookups);
    }

    public CampaignView View => Volatile.Read(ref _view);

    /// <summary>What a commit of this process changed.</summary>
    public void Publish(IReadOnlyList<LedgerEntry> entries)
    {
        var campaigns = entries.Where(e => e.Campaign is not null).Select(e => e.Campaign!).ToArray();
        if (campaigns.Length > 0) Merge(campaigns);
        else if (entries.Any(e => e.Coupons.Length > 0))
            lock (_gate) Volatile.Write(ref _view, _view.Next());
    }

    /// <summary>Reads the campaigns again when there are more versions than before: rows of this table are only ever added.</summary>
    public async Task RefreshAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var count = new NpgsqlCommand("SELECT count(*) FROM campaign", connection);
        var versions = (long)(await count.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
        if (versions == Interlocked.Read(ref _versions)) return;
        var campaigns = new List<Campaign>();
        await using var latest = new NpgsqlCommand("SELECT DISTINCT ON (id) document FROM campaign ORDER BY id, version DESC", connection);
        await using (var rows = await latest.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false)) campaigns.Add(CampaignJson.Read(rows.GetString(0)));
        Merge(campaigns);
        Interlocked.Exchange(ref _versions, versions);
    }

    private void Merge(IReadOnlyList<Campaign> campaigns)
    {
        lock (_gate)
        {
            Dictionary<string, Campaign>? next = null;
            foreach (var campaign in campaigns)
            {
                if (_view.FindCampaign(campaign.Id) is { } known && known.Version >= campaign.Version) continue;
                next ??= new(_view.ById, StringComparer.Ordinal);
                next[campaign.Id] = campaign;
            }

            if (next is not null) Volatile.Write(ref _view, new(_view.Revision + 1, next, _lookups));
        }
    }
}

/// <summary>Bounded look-ups of committed rows.</summary>
internal sealed class CouponLookups(NpgsqlDataSource source) : ICampaignLookups
{
    public Coupon? FindCoupon(string code) =>
        Query.First(source, $"SELECT {Rows.CouponColumns} FROM coupon WHERE code = $1", Rows.ReadCoupon, code);

    public IReadOnlyList<Coupon> CouponsOf(string customerId) =>
        Query.Many(source, $"SELECT {Rows.CouponColumns} FROM coupon WHERE customer = $1 ORDER BY code LIMIT 1000", Rows.ReadCoupon, customerId);

    public Arm FindArm(string campaignId, string customerId) =>
        Query.First(source, "SELECT arm FROM arm WHERE campaign = $1 AND customer = $2", row => (Arm)row.GetInt16(0), campaignId, customerId);
}
