using System.Collections.Concurrent;
using Npgsql;
using Promotions.Domain.Campaigns;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Formats;
using Promotions.Ledger.Writing;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>The latest campaigns in memory; coupons are looked up each time, since another process may have changed them a moment ago.</summary>
internal sealed class CampaignCatalog
{
    private readonly Lock _gate = new();
    private readonly NpgsqlDataSource _source;
    private readonly CampaignLookups _lookups;
    private CampaignView _view;
    private long _versions = -1;

    public CampaignCatalog(NpgsqlDataSource source)
    {
        _source = source;
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

    /// <summary>Takes over the campaigns that are later than those known here. So a decision refused as stale is priced on what refused it.</summary>
    public void Merge(IEnumerable<Campaign> campaigns)
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

    public async Task<ICampaignSnapshot> FetchAsync(IReadOnlyCollection<CouponQuestion> asked, CancellationToken cancellationToken)
    {
        var view = View;
        if (asked.Count == 0) return view;
        var questions = asked.Distinct().ToArray();
        var coupons = new Dictionary<string, Coupon?>(StringComparer.Ordinal);
        foreach (var question in questions) coupons[question.Code] = null;
        var arms = new Dictionary<(string Campaign, string Customer), Arm>();
        await using var batch = _source.CreateBatch();
        var command = new NpgsqlBatchCommand($"SELECT {Rows.CouponColumns} FROM coupon WHERE code = ANY($1)");
        command.Parameters.Add(new() { Value = coupons.Keys.ToArray() });
        batch.BatchCommands.Add(command);
        command = new("""
            SELECT a.campaign, a.customer, a.arm
            FROM unnest($1, $2, $3) q (code, otherwise, customer) LEFT JOIN coupon c ON c.code = q.code JOIN arm a ON a.campaign = coalesce(c.campaign, q.otherwise) AND a.customer = q.customer
            """);
        command.Parameters.Add(new() { Value = Array.ConvertAll(questions, q => q.Code) });
        command.Parameters.Add(new() { Value = Array.ConvertAll(questions, q => WithoutCoupon(q.Code)) });
        command.Parameters.Add(new() { Value = Array.ConvertAll(questions, q => q.CustomerId) });
        batch.BatchCommands.Add(command);
        try
        {
            await using var rows = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false)) coupons[rows.GetString(0)] = Rows.ReadCoupon(rows);
            await rows.NextResultAsync(cancellationToken).ConfigureAwait(false);
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false)) arms[(rows.GetString(0), rows.GetString(1))] = (Arm)rows.GetInt16(2);
        }
        catch (NpgsqlException fault)
        {
            throw new LedgerFaultException("The ledger's database cannot be read: " + fault.Message, fault);
        }

        foreach (var question in questions) arms.TryAdd((coupons[question.Code]?.CampaignId ?? WithoutCoupon(question.Code), question.CustomerId), Arm.None);
        return new CampaignView(view.Revision, view.ById, new FetchedLookups(coupons, arms, _lookups));

        // The price of a code that nobody has looks an arm up too, by the code itself.
        string WithoutCoupon(string code) => view.FindPublic(code)?.Id ?? code;
    }
}

/// <summary>Bounded look-ups of committed rows.</summary>
internal sealed class CampaignLookups(NpgsqlDataSource source) : ICampaignLookups
{
    private const int ArmsMax = 200_000;

    /// <summary>Recorded arms are kept: the first one is the customer's for ever. That there is none yet is asked again.</summary>
    private readonly ConcurrentDictionary<(string Campaign, string Customer), Arm> _arms = new();

    public Coupon? FindCoupon(string code) =>
        Query.First(source, $"SELECT {Rows.CouponColumns} FROM coupon WHERE code = $1", Rows.ReadCoupon, code);

    public IReadOnlyList<Coupon> CouponsOf(string customerId) =>
        Query.Many(source, $"SELECT {Rows.CouponColumns} FROM coupon WHERE customer = $1 ORDER BY code LIMIT 1000", Rows.ReadCoupon, customerId);

    public Arm FindArm(string campaignId, string customerId)
    {
        if (_arms.TryGetValue((campaignId, customerId), out var known)) return known;
        var arm = Query.First(source, "SELECT arm FROM arm WHERE campaign = $1 AND customer = $2", row => (Arm)row.GetInt16(0), campaignId, customerId);
        if (arm is Arm.None) return arm;
        if (_arms.Count >= ArmsMax) _arms.Clear();
        return _arms[(campaignId, customerId)] = arm;
    }
}

/// <summary>What one batch asked for ahead.</summary>
internal sealed class FetchedLookups(Dictionary<string, Coupon?> coupons, Dictionary<(string, string), Arm> arms, ICampaignLookups others) : ICampaignLookups
{
    public Coupon? FindCoupon(string code) => coupons.TryGetValue(code, out var coupon) ? coupon : others.FindCoupon(code);
    public IReadOnlyList<Coupon> CouponsOf(string customerId) => others.CouponsOf(customerId);
    public Arm FindArm(string campaignId, string customerId) => arms.TryGetValue((campaignId, customerId), out var arm) ? arm : others.FindArm(campaignId, customerId);
}
