using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Formats;
using Promotions.Ledger.Sqlite.Storage;

namespace Promotions.Ledger.Sqlite;

/// <summary>Reads over connections of their own: never wait for the writer, never hold it up.</summary>
internal sealed class SqliteLedgerReader(ReaderPool readers, Writer writer, TimeProvider time) : ILedgerReader
{
    public SqliteAuditReader Audit { get; } = new(readers, writer.Signer);

    public long LastLogPosition => writer.LastLogPosition;

    public long LastOutboxPosition => readers.Read(db => db.Scalar("SELECT max(position) FROM outbox"));

    public Decision? FindDecision(string redemptionId) => readers.Read(db => FindDecision(db, redemptionId));

    internal static Decision? FindDecision(Db db, string redemptionId)
    {
        var row = db.Prepare($"SELECT {Rows.DecisionColumns} FROM command c JOIN {Rows.DecisionTables} WHERE c.id = ? AND d.position = c.position").Bind(1, redemptionId);
        using (row.Scope()) return row.Step() ? Rows.ReadDecision(row) : null;
    }

    public IReadOnlyList<Decision> LatestDecisions(int max, long beforePosition = long.MaxValue) => readers.Read(db =>
        Many(db.Prepare($"SELECT {Rows.DecisionColumns} FROM {Rows.DecisionTables} WHERE d.position < ? ORDER BY d.position DESC LIMIT ?").Bind(1, beforePosition).Bind(2, max),
            row => Rows.ReadDecision(row)));

    public IReadOnlyList<Decision> LatestDecisionsOf(string customerId, int max) => readers.Read(db =>
        Many(db.Prepare($"SELECT {Rows.DecisionColumns} FROM {Rows.DecisionTables} WHERE d.customer = ? ORDER BY d.position DESC LIMIT ?").Bind(1, customerId).Bind(2, max),
            row => Rows.ReadDecision(row)));

    public IReadOnlyList<Flag> Flags(bool openOnly, int max, long beforePosition = long.MaxValue) => readers.Read(db =>
        Many(db.Prepare($"SELECT {Rows.DecisionColumns}, f.answer, f.answered_by, f.answered_at FROM flag f JOIN {Rows.DecisionTables} WHERE d.position = f.position AND f.position < ?"
                + (openOnly ? " AND f.answer IS NULL" : "") + " ORDER BY f.position DESC LIMIT ?").Bind(1, beforePosition).Bind(2, max), ReadFlag));

    public Flag? FindFlag(string redemptionId) => readers.Read(db =>
    {
        var row = db.Prepare($"SELECT {Rows.DecisionColumns}, f.answer, f.answered_by, f.answered_at FROM command c JOIN flag f ON f.position = c.position JOIN {Rows.DecisionTables} WHERE c.id = ? AND d.position = f.position")
            .Bind(1, redemptionId);
        using (row.Scope()) return row.Step() ? ReadFlag(row) : null;
    });

    private static Flag ReadFlag(Statement row) =>
        new(Rows.ReadDecision(row), row.OptionalLong(8) is { } answer ? answer != 0 : null, row.OptionalText(9), Rows.Time(row.OptionalLong(10)));

    public IReadOnlyList<RecordedLabel> Labels(long afterPosition, int max) => readers.Read(db =>
        Many(db.Prepare("SELECT position, redemption_id, abuse, source, at FROM label WHERE position > ? ORDER BY position LIMIT ?").Bind(1, afterPosition).Bind(2, max),
            row => new RecordedLabel(row.Long(0), row.Text(1), row.Long(2) != 0, row.Text(3), new(row.Long(4)))));

    public IReadOnlyList<OpenFlag> OpenFlags(int max) => readers.Read(db =>
        Many(db.Prepare("SELECT f.position, h.state FROM flag f LEFT JOIN hold h ON h.position = f.position WHERE f.answer IS NULL ORDER BY f.position DESC LIMIT ?").Bind(1, max),
            row => new OpenFlag(row.Long(0), row.IsNull(1) ? HoldState.None : (HoldState)row.Int(1))));

    public long AnswersSince(EventTime since) => readers.Read(db =>
    {
        var row = db.Prepare("SELECT count(*) FROM flag WHERE answered_at >= ?").Bind(1, since.UnixMilliseconds);
        using (row.Scope()) return row.Step() ? row.Long(0) : 0;
    });

    public IReadOnlyList<RedemptionLabel> LabelsOf(IReadOnlyList<string> redemptionIds) => readers.ReadMoment(db =>
        (IReadOnlyList<RedemptionLabel>)[.. redemptionIds.SelectMany(id =>
            Many(db.Prepare("SELECT e.command_id, l.redemption_id, l.position, l.abuse, l.source, l.note, l.actor, l.at FROM label l JOIN entry e ON e.position = l.position WHERE l.redemption_id = ? ORDER BY l.position")
                .Bind(1, id), row => new RedemptionLabel(row.Text(0), row.Text(1), row.Long(2), row.Long(3) != 0, row.Text(4), row.OptionalText(5), row.Text(6), new(row.Long(7)))))]);

    // CROSS JOIN keeps SQLite at the newest labels: it never sorts all decisions.
    public IReadOnlyList<LabelledDecision> LatestLabelled(int max) => readers.Read(db =>
        Many(db.Prepare($"SELECT {Rows.DecisionColumns}, l.abuse, l.source, l.at FROM label l CROSS JOIN command c ON c.id = l.redemption_id CROSS JOIN decision d ON d.position = c.position LEFT JOIN hold h ON h.position = d.position ORDER BY l.position DESC LIMIT ?")
            .Bind(1, max), row => new LabelledDecision(Rows.ReadDecision(row), row.Long(8) != 0, row.Text(9), new(row.Long(10)))));

    public IReadOnlyList<CustomerOrder> OrdersOf(string customerId, int max) => readers.Read(db =>
        Many(db.Prepare("SELECT e.command_id, e.at, p.currency, p.total, p.returned FROM purchase p JOIN entry e ON e.position = p.position WHERE p.customer = ? ORDER BY p.position DESC LIMIT ?")
            .Bind(1, customerId).Bind(2, max), row => new CustomerOrder(row.Text(0), new(row.Long(1)), row.Text(2), row.Long(3), row.Long(4))));

    public IReadOnlyList<Balance> BalancesOf(string customerId) => readers.ReadMoment(db =>
    {
        var now = EventTime.Now(time);
        var accounts = Many(db.Prepare("SELECT id, member, unit, free, held FROM account WHERE owner = ? AND member IN ('cash', 'points', 'refund', 'gift') AND kind = 10 ORDER BY member, unit")
            .Bind(1, customerId), row => (Id: row.Long(0), Segment: row.Text(1), Unit: row.Text(2), Free: row.Long(3), Held: row.Long(4)));
        var balances = new List<Balance>(accounts.Count);
        foreach (var account in accounts)
        {
            var lots = Many(db.Prepare("SELECT id, quantity, remaining, held, earned_at, expires_at, origin FROM lot WHERE account = ? AND remaining + held > 0 ORDER BY expires_at IS NULL, expires_at, earned_at, id")
                .Bind(1, account.Id), row => new Lot(row.Text(0), row.Long(1), row.Long(2), row.Long(3), new(row.Long(4)), Rows.Time(row.OptionalLong(5)), row.Text(6)));
            long expired = 0;
            foreach (var lot in lots)
                if (lot.ExpiresAt is { } end && end <= now) expired += lot.Remaining;
            balances.Add(new(account.Segment, account.Unit, account.Free - expired, account.Held, lots));
        }

        return (IReadOnlyList<Balance>)balances;
    });

    public IReadOnlyList<CustomerCoupon> CouponsOf(string customerId) => readers.ReadMoment(db =>
        Many(db.Prepare($"SELECT {Rows.CouponColumns} FROM coupon WHERE customer = ? ORDER BY code LIMIT 1000").Bind(1, customerId), row => Rows.ReadCoupon(row))
            .Select(coupon =>
            {
                var uses = Sums(db, AccountKey.CouponUses(coupon.Code));
                return new CustomerCoupon(coupon, CampaignOf(db, coupon.CampaignId) ?? throw new LedgerFaultException($"Coupon {coupon.Code} has no campaign."), uses.Held + uses.Used, uses.Held);
            }).ToArray());

    public IReadOnlyList<Campaign> Campaigns() => readers.Read(Campaigns);

    internal static IReadOnlyList<Campaign> Campaigns(Db db) =>
        Many(db.Prepare("SELECT document FROM campaign c WHERE version = (SELECT max(version) FROM campaign WHERE id = c.id) ORDER BY id"), row => CampaignJson.Read(row.Text(0)));

    public Campaign? FindCampaign(string campaignId, int version) => readers.Read(db =>
        Many(db.Prepare("SELECT document FROM campaign WHERE id = ? AND version = ?").Bind(1, campaignId).Bind(2, version), row => CampaignJson.Read(row.Text(0))).FirstOrDefault());

    public CampaignUsage UsageOf(string campaignId) => readers.ReadMoment(db =>
    {
        var campaign = CampaignOf(db, campaignId);
        var uses = Sums(db, AccountKey.CampaignUses(campaignId));
        var budget = campaign is null ? default : Sums(db, AccountKey.CampaignBudget(campaignId, campaign.Currency));
        var count = db.Prepare("SELECT count(*) FROM coupon WHERE campaign = ?").Bind(1, campaignId);
        using (count.Scope())
        {
            count.Step();
            return new CampaignUsage(campaignId, uses.Held, uses.Used, budget.Held, budget.Used, count.Long(0));
        }
    });

    public IReadOnlyList<Coupon> CouponsOfCampaign(string campaignId, int max, string? afterCode) => readers.Read(db =>
        Many(db.Prepare($"SELECT {Rows.CouponColumns} FROM coupon WHERE campaign = ? AND code > ? ORDER BY code LIMIT ?").Bind(1, campaignId).Bind(2, afterCode ?? "").Bind(3, max),
            row => Rows.ReadCoupon(row)));

    public RemainingLimits RemainingLimits(string campaignId, string? code, string customerId) => readers.ReadMoment(db =>
    {
        if (CampaignOf(db, campaignId) is not { } campaign) return new RemainingLimits(null, null, null, null);
        long? couponMax = null;
        if (code is not null)
        {
            var row = db.Prepare("SELECT uses_max FROM coupon WHERE code = ?").Bind(1, code);
            using (row.Scope()) couponMax = row.Step() ? row.OptionalLong(0) : null;
        }

        return new RemainingLimits(
            Left(db, campaign.Limits.UsesMax, AccountKey.CampaignUses(campaignId)),
            Left(db, campaign.Limits.BudgetMinorUnits, AccountKey.CampaignBudget(campaignId, campaign.Currency)),
            Left(db, campaign.Limits.UsesPerCustomerMax, AccountKey.CustomerUses(campaignId, customerId)),
            code is null ? null : Left(db, couponMax, AccountKey.CouponUses(code)));
    });

    public IReadOnlyList<LogRecord> ReadLog(long afterPosition, int max) => readers.Read(db => ReadLog(db, afterPosition, max));

    internal static IReadOnlyList<LogRecord> ReadLog(Db db, long afterPosition, int max) =>
        Many(db.Prepare("SELECT position, topic, key, value, at, state_hash FROM entry WHERE position > ? AND topic IS NOT NULL ORDER BY position LIMIT ?").Bind(1, afterPosition).Bind(2, max),
            row => new LogRecord(row.Long(0), row.Text(1), row.Text(2), row.Blob(3), new(row.Long(4)), unchecked((ulong)row.Long(5))));

    public IReadOnlyList<OutboxEvent> ReadOutbox(long afterPosition, int max) => readers.Read(db =>
        Many(db.Prepare("SELECT position, at, type, key, payload FROM outbox WHERE position > ? ORDER BY position LIMIT ?").Bind(1, afterPosition).Bind(2, max),
            row => new OutboxEvent(row.Long(0), new(row.Long(1)), row.Text(2), row.Text(3), row.Blob(4))));

    private static long? Left(Db db, long? limit, AccountKey key)
    {
        if (limit is not { } max) return null;
        var (_, held, used) = Sums(db, key);
        return Math.Max(0, max - held - used);
    }

    private static (long Free, long Held, long Used) Sums(Db db, AccountKey key)
    {
        var row = db.Prepare("SELECT free, held, used FROM account WHERE owner = ? AND member = ? AND kind = ? AND unit = ?")
            .Bind(1, key.Owner).Bind(2, key.Member).Bind(3, (long)key.Kind).Bind(4, key.Unit);
        using (row.Scope()) return row.Step() ? (row.Long(0), row.Long(1), row.Long(2)) : default;
    }

    private static Campaign? CampaignOf(Db db, string campaignId)
    {
        var row = db.Prepare("SELECT document FROM campaign WHERE id = ? ORDER BY version DESC LIMIT 1").Bind(1, campaignId);
        using (row.Scope()) return row.Step() ? CampaignJson.Read(row.Text(0)) : null;
    }

    private static List<T> Many<T>(Statement rows, Func<Statement, T> read)
    {
        var found = new List<T>();
        using (rows.Scope())
            while (rows.Step()) found.Add(read(rows));
        return found;
    }
}
