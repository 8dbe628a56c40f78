using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Domain.Campaigns;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Formats;

namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>The machine's working set over the writer's connection: loads on demand and keeps what is hot, within bounds.</summary>
/// <remarks>Accounts, lots and decisions point to each other, so they are forgotten together (<see cref="Trim"/>, only between transactions):
/// two objects for one account would be two truths. After a rollback everything is forgotten and read again.</remarks>
internal sealed class SqliteState : ILedgerState
{
    private const int AccountsMax = 200_000;
    private const int LotsMax = 100_000;
    private const int DecisionsMax = 512;   // whole proposals: kept longer, they outlive the collector's young generation
    private const int CouponsMax = 100_000;
    private const int ArmsMax = 200_000;

    private readonly Db _db;
    private readonly Dictionary<AccountKey, Account> _accounts = [];
    private readonly Dictionary<long, Account> _accountsById = [];
    private readonly HashSet<Account> _unwritten = [];
    private readonly Dictionary<long, EarnedLot> _lots = [];
    private readonly Dictionary<string, BookedDecision> _decisions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Coupon> _coupons = new(StringComparer.Ordinal);
    private readonly Dictionary<(string, string), Arm> _arms = [];
    private readonly Dictionary<string, Campaign> _campaigns = new(StringComparer.Ordinal);
    private readonly Dictionary<(string, string), string> _settings = [];
    private readonly HashSet<string> _voidedBefore = new(StringComparer.Ordinal);
    private long _lastAccount;
    private long _lastLot;

    public SqliteState(Db db)
    {
        _db = db;
        Reload();
    }

    public IReadOnlyDictionary<string, Campaign> CurrentCampaigns => _campaigns;

    /// <summary>Forgets all and reads again what is kept whole: campaigns, settings, ids voided before they came.</summary>
    public void Reload()
    {
        _accounts.Clear();
        _accountsById.Clear();
        _unwritten.Clear();
        _lots.Clear();
        _decisions.Clear();
        _coupons.Clear();
        _arms.Clear();
        _campaigns.Clear();
        _settings.Clear();
        _voidedBefore.Clear();
        _lastAccount = _db.Scalar("SELECT max(id) FROM account");
        _lastLot = _db.Scalar("SELECT max(id) FROM lot");
        var campaigns = _db.Prepare("SELECT document FROM campaign ORDER BY id, version");
        using (campaigns.Scope())
            while (campaigns.Step())
            {
                var campaign = CampaignJson.Read(campaigns.Text(0));
                _campaigns[campaign.Id] = campaign;
            }

        var settings = _db.Prepare("SELECT scope, name, value FROM setting");
        using (settings.Scope())
            while (settings.Step()) _settings[(settings.Text(0), settings.Text(1))] = settings.Text(2);
        var voided = _db.Prepare("SELECT redemption_id FROM voided_before");
        using (voided.Scope())
            while (voided.Step()) _voidedBefore.Add(voided.Text(0));
    }

    /// <summary>Between transactions only.</summary>
    public void Trim()
    {
        if (_coupons.Count > CouponsMax) _coupons.Clear();
        if (_arms.Count > ArmsMax) _arms.Clear();
        if (_decisions.Count > DecisionsMax) _decisions.Clear();
        if (_accounts.Count <= AccountsMax && _lots.Count <= LotsMax) return;
        _accounts.Clear();
        _accountsById.Clear();
        _unwritten.Clear();
        _lots.Clear();
        _decisions.Clear();
    }

    public RecordedCommand? FindCommand(string id)
    {
        var row = _db.Prepare("SELECT position FROM command WHERE id = ?").Bind(1, id);
        using (row.Scope())
        {
            if (!row.Step()) return null;
            var position = row.Long(0);
            var entry = _db.Prepare("SELECT kind, content, refusal, detail FROM entry WHERE position = ?").Bind(1, position);
            using (entry.Scope())
                return entry.Step()
                    ? new(id, new((CommandKind)entry.Int(0), entry.Blob(1)), position, (LedgerRefusal)entry.Int(2), entry.OptionalText(3))
                    : throw new LedgerFaultException($"Id {id} names entry {position}, which is not there. Run the verifier.");
        }
    }

    public Account Account(AccountKey key)
    {
        if (_accounts.TryGetValue(key, out var known)) return known;
        var row = _db.Prepare("SELECT id, free, held, used FROM account WHERE owner = ? AND member = ? AND kind = ? AND unit = ?")
            .Bind(1, key.Owner).Bind(2, key.Member).Bind(3, (long)key.Kind).Bind(4, key.Unit);
        Account account;
        using (row.Scope())
        {
            if (row.Step())
            {
                account = new(key, row.Long(0), row.Long(1), row.Long(2), row.Long(3));
            }
            else
            {
                account = new(key, ++_lastAccount, 0, 0, 0);
                _unwritten.Add(account);
            }
        }

        _accounts.Add(key, account);
        _accountsById.Add(account.Id, account);
        return account;
    }

    /// <summary>True once for an account that has no row yet.</summary>
    public bool TakeUnwritten(Account account) => _unwritten.Remove(account);

    private Account AccountById(long id)
    {
        if (_accountsById.TryGetValue(id, out var known)) return known;
        var row = _db.Prepare("SELECT kind, owner, member, unit FROM account WHERE id = ?").Bind(1, id);
        AccountKey key;
        using (row.Scope())
            key = row.Step()
                ? new((AccountKind)row.Int(0), row.Text(1), row.Text(2), row.Text(3))
                : throw new LedgerFaultException($"A posting names account {id}, which is not there. Run the verifier.");
        return Account(key);
    }

    public IReadOnlyCollection<EarnedLot> OpenLotsOf(Account account)
    {
        var found = new List<EarnedLot>();
        var rows = _db.Prepare("SELECT id, quantity, remaining, held, spent, expired, earned_at, expires_at, origin FROM lot WHERE account = ? AND remaining + held > 0").Bind(1, account.Id);
        using (rows.Scope())
            while (rows.Step()) found.Add(ReadLot(rows, account));
        return found;
    }

    private EarnedLot ReadLot(Statement row, Account account)
    {
        if (_lots.TryGetValue(row.Long(0), out var known)) return known;
        var lot = new EarnedLot(row.Long(0), account, row.Long(1), new(row.Long(6)), Rows.Time(row.OptionalLong(7)), row.Text(8));
        lot.Restore(row.Long(2), row.Long(3), row.Long(4), row.Long(5));
        _lots.Add(lot.Id, lot);
        return lot;
    }

    private EarnedLot LotById(long id)
    {
        if (_lots.TryGetValue(id, out var known)) return known;
        var row = _db.Prepare("SELECT id, quantity, remaining, held, spent, expired, earned_at, expires_at, origin, account FROM lot WHERE id = ?").Bind(1, id);
        using (row.Scope())
            return row.Step() ? ReadLot(row, AccountById(row.Long(9))) : throw new LedgerFaultException($"Lot {id} is not there. Run the verifier.");
    }

    public BookedDecision? FindDecision(string redemptionId)
    {
        if (_decisions.TryGetValue(redemptionId, out var known)) return known;
        var row = _db.Prepare($"SELECT {Rows.DecisionColumns} FROM command c JOIN {Rows.DecisionTables} WHERE c.id = ? AND d.position = c.position").Bind(1, redemptionId);
        Decision decision;
        using (row.Scope())
        {
            if (!row.Step()) return null;
            decision = Rows.ReadDecision(row);
        }

        return Load(decision);
    }

    private BookedDecision Load(Decision decision)
    {
        var booked = new BookedDecision(decision.Position, decision.Proposal, decision.Status, decision.Refusal, decision.DecidedAt, decision.HoldExpiresAt);
        var takes = new List<Take>();
        var lotTakes = new List<LotTake>();
        var first = Rows.FirstLine(decision.Position);
        var end = Rows.FirstLine(decision.Position + 1);
        var lines = new List<(long Debit, long Credit, long Amount)>();
        var postings = _db.Prepare("SELECT debit, credit, amount FROM posting WHERE id >= ? AND id < ? ORDER BY id").Bind(1, first).Bind(2, end);
        using (postings.Scope())
            while (postings.Step()) lines.Add((postings.Long(0), postings.Long(1), postings.Long(2)));
        foreach (var (debit, credit, amount) in lines)
            if ((Side)(credit & 3) is Side.Held) takes.Add(new(AccountById(credit >> 2), AccountById(debit >> 2), (Side)(debit & 3), amount));

        var taken = new List<(long Lot, long Amount)>();
        var moves = _db.Prepare("SELECT lot, amount FROM lot_move WHERE id >= ? AND id < ? AND kind = 2 ORDER BY id").Bind(1, first).Bind(2, end);
        using (moves.Scope())
            while (moves.Step()) taken.Add((moves.Long(0), moves.Long(1)));
        foreach (var (lot, amount) in taken) lotTakes.Add(new(LotById(lot), amount));
        booked.Restore(decision.Hold, takes, lotTakes);
        _decisions[decision.Proposal.Request.Id] = booked;
        return booked;
    }

    public Campaign? FindCampaign(string campaignId) => _campaigns.GetValueOrDefault(campaignId);

    public Coupon? FindCoupon(string code)
    {
        if (_coupons.TryGetValue(code, out var known)) return known;
        var row = _db.Prepare($"SELECT {Rows.CouponColumns} FROM coupon WHERE code = ?").Bind(1, code);
        using (row.Scope())
        {
            if (!row.Step()) return null;
            var coupon = Rows.ReadCoupon(row);
            _coupons.Add(code, coupon);
            return coupon;
        }
    }

    public Arm FindArm(string campaignId, string customerId)
    {
        if (_arms.TryGetValue((campaignId, customerId), out var known)) return known;
        var row = _db.Prepare("SELECT arm FROM arm WHERE campaign = ? AND customer = ?").Bind(1, campaignId).Bind(2, customerId);
        using (row.Scope())
        {
            var arm = row.Step() ? (Arm)row.Int(0) : Arm.None;
            if (arm is not Arm.None) _arms.Add((campaignId, customerId), arm);
            return arm;
        }
    }

    public bool WasVoidedBefore(string redemptionId) => _voidedBefore.Contains(redemptionId);

    public BookedOrder? FindOrder(string orderId)
    {
        var row = _db.Prepare("SELECT p.position, p.customer, p.currency, p.total, p.returned FROM command c JOIN purchase p ON p.position = c.position WHERE c.id = ?").Bind(1, orderId);
        using (row.Scope()) return row.Step() ? new(row.Long(0), orderId, row.Text(1), row.Text(2), row.Long(3), row.Long(4)) : null;
    }

    public bool? FindReview(string redemptionId)
    {
        var row = _db.Prepare("SELECT f.answer FROM command c JOIN flag f ON f.position = c.position WHERE c.id = ?").Bind(1, redemptionId);
        using (row.Scope()) return row.Step() && row.OptionalLong(0) is { } answer ? answer != 0 : null;
    }

    public string? FindSetting(string scope, string name) => _settings.GetValueOrDefault((scope, name));

    public void PutSetting(string scope, string name, string? value)
    {
        if (value is null) _settings.Remove((scope, name));
        else _settings[(scope, name)] = value;
    }

    public IReadOnlyList<BookedDecision> HoldsDue(EventTime now, int max)
    {
        var ids = new List<string>();
        var rows = _db.Prepare("SELECT d.redemption_id FROM hold h JOIN decision d ON d.position = h.position WHERE h.state = 1 AND h.expires_at <= ? ORDER BY h.expires_at LIMIT ?")
            .Bind(1, now.UnixMilliseconds).Bind(2, max);
        using (rows.Scope())
            while (rows.Step()) ids.Add(rows.Text(0));
        return [.. ids.Select(id => FindDecision(id) ?? throw new LedgerFaultException($"Hold without decision {id}. Run the verifier."))];
    }

    public IReadOnlyList<EarnedLot> LotsDue(EventTime now, int max)
    {
        var ids = new List<long>();
        var rows = _db.Prepare("SELECT id FROM lot WHERE remaining > 0 AND expires_at IS NOT NULL AND expires_at <= ? ORDER BY expires_at, id LIMIT ?").Bind(1, now.UnixMilliseconds).Bind(2, max);
        using (rows.Scope())
            while (rows.Step()) ids.Add(rows.Long(0));
        return [.. ids.Select(LotById)];
    }

    public EarnedLot OpenLot(Account account, long quantity, EventTime earnedAt, EventTime? expiresAt, string origin)
    {
        var lot = new EarnedLot(++_lastLot, account, quantity, earnedAt, expiresAt, origin);
        _lots.Add(lot.Id, lot);
        return lot;
    }

    public void Apply(LedgerEntry entry)
    {
        if (entry.Decided is { } decided) _decisions[decided.Proposal.Request.Id] = decided;
        if (entry.Campaign is { } campaign) _campaigns[campaign.Id] = campaign;
        if (entry.VoidedBefore is { } redemptionId) _voidedBefore.Add(redemptionId);
        foreach (var coupon in entry.Coupons) _coupons[coupon.Code] = coupon;
        foreach (var arm in entry.Arms) _arms[(arm.CampaignId, arm.CustomerId)] = arm.Arm;
    }
}
