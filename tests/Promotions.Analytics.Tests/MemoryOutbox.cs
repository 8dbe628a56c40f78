using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Ledger;
using Promotions.Ledger.Outbox;

namespace Promotions.Analytics.Tests;

/// <summary>The reading side of a ledger, in memory, as far as followers ask: an outbox. What is in it is written with the ledger's own payload writer.</summary>
internal abstract class MemoryOutbox : ILedgerReader
{
    private readonly List<OutboxEvent> _rows = [];

    public IReadOnlyList<OutboxEvent> Rows => _rows;

    /// <summary>The position that the next row gets.</summary>
    public long Next => _rows.Count + 1;

    public long LastOutboxPosition => _rows.Count;
    public IReadOnlyList<OutboxEvent> ReadOutbox(long afterPosition, int max) => _rows.GetRange((int)afterPosition, Math.Min(max, _rows.Count - (int)afterPosition));

    /// <summary>Forgets the newest rows, as a ledger set back from an old copy does.</summary>
    public void SetBackTo(int position) => _rows.RemoveRange(position, _rows.Count - position);

    protected void Add(string type, string key, EventTime at, byte[] payload) => _rows.Add(new(Next, at, type, key, payload));

    public long LastLogPosition => throw NotAsked();
    public Decision? FindDecision(string redemptionId) => throw NotAsked();
    public IReadOnlyList<Decision> LatestDecisions(int max, long beforePosition = long.MaxValue) => throw NotAsked();
    public IReadOnlyList<Decision> LatestDecisionsOf(string customerId, int max) => throw NotAsked();
    public IReadOnlyList<Flag> Flags(bool openOnly, int max, long beforePosition = long.MaxValue) => throw NotAsked();
    public Flag? FindFlag(string redemptionId) => throw NotAsked();
    public IReadOnlyList<RecordedLabel> Labels(long afterPosition, int max) => throw NotAsked();
    public IReadOnlyList<OpenFlag> OpenFlags(int max) => throw NotAsked();
    public long AnswersSince(EventTime since) => throw NotAsked();
    public IReadOnlyList<RedemptionLabel> LabelsOf(IReadOnlyList<string> redemptionIds) => throw NotAsked();
    public IReadOnlyList<LabelledDecision> LatestLabelled(int max) => throw NotAsked();
    public IReadOnlyList<CustomerOrder> OrdersOf(string customerId, int max) => throw NotAsked();
    public IReadOnlyList<Balance> BalancesOf(string customerId) => throw NotAsked();
    public IReadOnlyList<CustomerCoupon> CouponsOf(string customerId) => throw NotAsked();
    public IReadOnlyList<Campaign> Campaigns() => throw NotAsked();
    public Campaign? FindCampaign(string campaignId, int version) => throw NotAsked();
    public CampaignUsage UsageOf(string campaignId) => throw NotAsked();
    public IReadOnlyList<Coupon> CouponsOfCampaign(string campaignId, int max, string? afterCode) => throw NotAsked();
    public RemainingLimits RemainingLimits(string campaignId, string? code, string customerId) => throw NotAsked();
    public IReadOnlyList<LogRecord> ReadLog(long afterPosition, int max) => throw NotAsked();

    private static NotSupportedException NotAsked() => new("Analytics reads the outbox only.");
}

/// <summary>Settings in memory; survives what the test calls a crash.</summary>
internal sealed class MemorySettings : ISettingsStore
{
    private readonly Dictionary<(string, string), string> _values = [];

    public string? Find(string scope, string name) => _values.GetValueOrDefault((scope, name));
    public IReadOnlyList<KeyValuePair<string, string>> List(string scope) => [.. _values.Where(v => v.Key.Item1 == scope).Select(v => KeyValuePair.Create(v.Key.Item2, v.Value))];

    public Task PutAsync(string scope, string name, string? value, Actor actor, CancellationToken cancellationToken)
    {
        if (value is null) _values.Remove((scope, name));
        else _values[(scope, name)] = value;
        return Task.CompletedTask;
    }
}
