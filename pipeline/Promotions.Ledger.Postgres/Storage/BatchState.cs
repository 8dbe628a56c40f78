using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Ledger.Booking;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>The evaluation touched a row that its transaction did not lock: it begins again with a newer plan.</summary>
internal sealed class NotPlannedException(string what) : Exception($"{what} was not planned.");

/// <summary>What one transaction's commands may see, loaded under its locks. Lives for that transaction alone.</summary>
internal sealed class BatchState(Footprint footprint, Numbers accountNumbers, Numbers lotNumbers) : ILedgerState
{
    private readonly Dictionary<AccountKey, Account> _accounts = [];
    private readonly Dictionary<long, Account> _accountsById = [];
    private readonly Dictionary<long, List<EarnedLot>> _lotsOf = [];
    private readonly Dictionary<long, EarnedLot> _lots = [];
    private readonly Dictionary<string, RecordedCommand> _commands = new(StringComparer.Ordinal);
    private readonly HashSet<string> _voidedBefore = new(StringComparer.Ordinal);
    private readonly Dictionary<string, BookedDecision> _decisions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Campaign> _campaigns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Coupon> _coupons = new(StringComparer.Ordinal);
    private readonly Dictionary<(string, string), Arm> _arms = [];
    private readonly Dictionary<string, BookedOrder> _orders = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool> _reviews = new(StringComparer.Ordinal);
    private readonly Dictionary<(string, string), string> _settings = [];
    private readonly Dictionary<string, long> _epochs = new(StringComparer.Ordinal);

    /// <summary>Accounts without a row.</summary>
    public HashSet<Account> Unwritten { get; } = [];

    /// <summary>Ids that have a row already.</summary>
    public HashSet<string> Stored { get; } = new(StringComparer.Ordinal);

    /// <summary>The latest version of each campaign that the batch may look at.</summary>
    public IReadOnlyDictionary<string, Campaign> Campaigns => _campaigns;

    /// <summary>Whether the owner's right has not passed. It cannot pass before the transaction ends: the row is locked.</summary>
    public bool Owns(TaskEpoch owner) => _epochs.TryGetValue(owner.Task, out var epoch) && epoch == owner.Epoch;

    public RecordedCommand? FindCommand(string id) => _commands.GetValueOrDefault(id);

    public Account Account(AccountKey key)
    {
        if (_accounts.TryGetValue(key, out var known)) return known;
        if (!key.IsSystem && !footprint.Accounts.Contains(key)) throw new NotPlannedException(key.ToString());
        var account = new Account(key, accountNumbers.Take(), 0, 0, 0);
        Unwritten.Add(account);
        Add(account, true);
        return account;
    }

    /// <summary>Makes sure that the accounts under whose lock coupons and campaigns change have a row.</summary>
    public void OpenFences()
    {
        foreach (var key in footprint.Fences)
            if (key.Kind is AccountKind.CouponUses ? _coupons.ContainsKey(key.Owner) : _campaigns.ContainsKey(key.Owner)) Account(key);
    }

    public IReadOnlyCollection<EarnedLot> OpenLotsOf(Account account) =>
        _lotsOf.TryGetValue(account.Id, out var lots) ? [.. lots.Where(l => l.IsOpen)] : [];

    public BookedDecision? FindDecision(string redemptionId) => _decisions.GetValueOrDefault(redemptionId);
    public Campaign? FindCampaign(string campaignId) => _campaigns.GetValueOrDefault(campaignId);
    public Coupon? FindCoupon(string code) => _coupons.GetValueOrDefault(code);
    public Arm FindArm(string campaignId, string customerId) => _arms.GetValueOrDefault((campaignId, customerId));
    public bool WasVoidedBefore(string redemptionId) => _voidedBefore.Contains(redemptionId);
    public BookedOrder? FindOrder(string orderId) => _orders.GetValueOrDefault(orderId);
    public bool? FindReview(string redemptionId) => _reviews.TryGetValue(redemptionId, out var answer) ? answer : null;
    public string? FindSetting(string scope, string name) => _settings.GetValueOrDefault((scope, name));

    public IReadOnlyList<BookedDecision> HoldsDue(EventTime now, int max) =>
        [.. _decisions.Values.Where(d => d.Hold is HoldState.Held && d.HoldExpiresAt <= now && footprint.Redemptions.Contains(d.Proposal.Request.Id))
            .OrderBy(d => d.HoldExpiresAt!.Value.UnixMilliseconds).ThenBy(d => d.Position).Take(max)];

    public IReadOnlyList<EarnedLot> LotsDue(EventTime now, int max) =>
        [.. _lots.Values.Where(l => l.Remaining > 0 && l.IsExpired(now)).OrderBy(l => l.ExpiresAt!.Value.UnixMilliseconds).ThenBy(l => l.Id).Take(max)];

    public EarnedLot OpenLot(Account account, long quantity, EventTime earnedAt, EventTime? expiresAt, string origin)
    {
        var lot = new EarnedLot(lotNumbers.Take(), account, quantity, earnedAt, expiresAt, origin);
        Add(lot);
        return lot;
    }

    public void Apply(LedgerEntry entry)
    {
        if (entry.RecordsId) _commands.Add(entry.CommandId, new(entry.CommandId, new(entry.Kind, entry.ContentHash), entry.Position, entry.Refusal, entry.Detail));
        if (entry.Decided is { } decided) _decisions[decided.Proposal.Request.Id] = decided;
        if (entry.Campaign is { } campaign) _campaigns[campaign.Id] = campaign;
        if (entry.VoidedBefore is { } redemptionId) _voidedBefore.Add(redemptionId);
        foreach (var coupon in entry.Coupons) _coupons[coupon.Code] = coupon;
        foreach (var arm in entry.Arms) _arms[(arm.CampaignId, arm.CustomerId)] = arm.Arm;
        if (entry.Order is { } order) _orders[order.Id] = order;
        if (entry.Label is { Source: "review" } label) _reviews[label.RedemptionId] = label.Abuse;
    }

    public void PutSetting(string scope, string name, string? value)
    {
        if (value is null) _settings.Remove((scope, name));
        else _settings[(scope, name)] = value;
    }

    // The loader's side.

    /// <param name="ours">False: another process's share of a system account, known by number alone.</param>
    public void Add(Account account, bool ours)
    {
        _accountsById.Add(account.Id, account);
        if (ours) _accounts.Add(account.Key, account);
    }

    public void Add(EarnedLot lot)
    {
        _lots.Add(lot.Id, lot);
        if (!_lotsOf.TryGetValue(lot.Account.Id, out var lots)) _lotsOf.Add(lot.Account.Id, lots = []);
        lots.Add(lot);
    }

    public void Add(RecordedCommand command)
    {
        _commands.Add(command.Id, command);
        Stored.Add(command.Id);
    }

    /// <summary>Its row has no entry before the late request comes.</summary>
    public void AddVoided(string id)
    {
        _voidedBefore.Add(id);
        Stored.Add(id);
    }

    public void Add(BookedDecision decision) => _decisions.Add(decision.Proposal.Request.Id, decision);
    public void Add(TaskEpoch current) => _epochs.Add(current.Task, current.Epoch);
    public void Add(Campaign campaign) => _campaigns.Add(campaign.Id, campaign);
    public void Add(Coupon coupon) => _coupons.Add(coupon.Code, coupon);
    public void Add(string campaign, string customer, Arm arm) => _arms.Add((campaign, customer), arm);
    public void Add(BookedOrder order) => _orders.Add(order.Id, order);
    public void AddReview(string redemptionId, bool abuse) => _reviews.Add(redemptionId, abuse);

    public Account AccountById(long id) => _accountsById.TryGetValue(id, out var account) ? account : throw new NotPlannedException($"Account {id}");
    public EarnedLot LotById(long id) => _lots.TryGetValue(id, out var lot) ? lot : throw new NotPlannedException($"Lot {id}");
}
