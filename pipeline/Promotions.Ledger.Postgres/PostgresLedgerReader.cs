using Npgsql;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Ledger.Formats;
using Promotions.Ledger.Postgres.Storage;

namespace Promotions.Ledger.Postgres;

/// <summary>Reads over pooled connections, each one statement and so one moment. Places in the log and the outbox are the sequencer's; a decision's position is its entry's number.</summary>
internal sealed class PostgresLedgerReader(NpgsqlDataSource source, Sequencer sequencer, TimeProvider time) : ILedgerReader
{
    private const string FlagColumns = $"{Rows.DecisionColumns}, f.answer, f.answered_by, f.answered_at";
    private const string FlagTables = "flag f JOIN decision d ON d.entry = f.entry LEFT JOIN hold h ON h.entry = d.entry";

    public long LastLogPosition => Place("SELECT logged FROM head");

    public long LastOutboxPosition => Place("SELECT outbox FROM head");

    private const string DecisionById = $"SELECT {Rows.DecisionColumns} FROM command c JOIN decision d ON d.entry = c.entry LEFT JOIN hold h ON h.entry = d.entry WHERE c.id = $1";

    public Decision? FindDecision(string redemptionId) => Query.First(source, DecisionById, Rows.ReadDecision, redemptionId);

    public ValueTask<Decision?> FindDecisionAsync(string redemptionId, CancellationToken cancellationToken) => Query.FirstAsync(source, DecisionById, Rows.ReadDecision, cancellationToken, redemptionId);

    public IReadOnlyList<Decision> LatestDecisions(int max, long beforePosition = long.MaxValue) =>
        Query.Many(source, $"SELECT {Rows.DecisionColumns} FROM {Rows.DecisionTables} WHERE d.entry < $1 ORDER BY d.entry DESC LIMIT $2", Rows.ReadDecision, beforePosition, max);

    public IReadOnlyList<Decision> LatestDecisionsOf(string customerId, int max) =>
        Query.Many(source, $"SELECT {Rows.DecisionColumns} FROM {Rows.DecisionTables} WHERE d.customer = $1 ORDER BY d.entry DESC LIMIT $2", Rows.ReadDecision, customerId, max);

    public IReadOnlyList<Flag> Flags(bool openOnly, int max, long beforePosition = long.MaxValue) =>
        Query.Many(source, $"SELECT {FlagColumns} FROM {FlagTables} WHERE f.entry < $1 {(openOnly ? "AND f.answer IS NULL" : "")} ORDER BY f.entry DESC LIMIT $2", ReadFlag, beforePosition, max);

    public Flag? FindFlag(string redemptionId) =>
        Query.First(source, $"SELECT {FlagColumns} FROM {FlagTables} WHERE f.entry = (SELECT entry FROM command WHERE id = $1)", ReadFlag, redemptionId);

    private static Flag ReadFlag(NpgsqlDataReader row) =>
        new(Rows.ReadDecision(row), row.IsDBNull(8) ? null : row.GetBoolean(8), Rows.OptionalText(row, 9), Rows.OptionalTime(row, 10));

    public IReadOnlyList<RecordedLabel> Labels(long afterPosition, int max) =>
        Query.Many(source, "SELECT entry, redemption_id, abuse, source, at FROM label WHERE entry > $1 ORDER BY entry LIMIT $2",
            row => new RecordedLabel(row.GetInt64(0), row.GetString(1), row.GetBoolean(2), row.GetString(3), new(row.GetInt64(4))), afterPosition, max);

    public IReadOnlyList<OpenFlag> OpenFlags(int max) =>
        Query.Many(source, "SELECT f.entry, h.state FROM flag f LEFT JOIN hold h ON h.entry = f.entry WHERE f.answer IS NULL ORDER BY f.entry DESC LIMIT $1",
            row => new OpenFlag(row.GetInt64(0), row.IsDBNull(1) ? HoldState.None : (HoldState)row.GetInt16(1)), max);

    public long AnswersSince(EventTime since) =>
        Query.First(source, "SELECT count(*) FROM flag WHERE answered_at >= $1", row => row.GetInt64(0), since.UnixMilliseconds);

    public IReadOnlyList<RedemptionLabel> LabelsOf(IReadOnlyList<string> redemptionIds) => Query.Many(source, """
        SELECT e.command_id, l.redemption_id, l.entry, l.abuse, l.source, l.note, l.actor, l.at
        FROM unnest($1) WITH ORDINALITY r (id, nr) JOIN label l ON l.redemption_id = r.id JOIN entry e ON e.id = l.entry ORDER BY r.nr, l.entry
        """, row => new RedemptionLabel(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetBoolean(3), row.GetString(4), Rows.OptionalText(row, 5), row.GetString(6), new(row.GetInt64(7))),
        [redemptionIds.ToArray()]);

    public IReadOnlyList<LabelledDecision> LatestLabelled(int max) => Query.Many(source, $"""
        SELECT {Rows.DecisionColumns}, l.abuse, l.source, l.at FROM (SELECT entry, redemption_id, abuse, source, at FROM label ORDER BY entry DESC LIMIT $1) l
        JOIN command c ON c.id = l.redemption_id JOIN decision d ON d.entry = c.entry LEFT JOIN hold h ON h.entry = d.entry ORDER BY l.entry DESC
        """, row => new LabelledDecision(Rows.ReadDecision(row), row.GetBoolean(8), row.GetString(9), new(row.GetInt64(10))), max);

    public IReadOnlyList<CustomerOrder> OrdersOf(string customerId, int max) => Query.Many(source, """
        SELECT e.command_id, e.at, p.currency, p.total, p.returned FROM purchase p JOIN entry e ON e.id = p.entry WHERE p.customer = $1 ORDER BY p.entry DESC LIMIT $2
        """, row => new CustomerOrder(row.GetString(0), new(row.GetInt64(1)), row.GetString(2), row.GetInt64(3), row.GetInt64(4)), customerId, max);

    public IReadOnlyList<Balance> BalancesOf(string customerId)
    {
        var now = EventTime.Now(time);
        var rows = Query.Many(source, """
            SELECT a.member, a.unit, a.free, a.held, l.id, l.quantity, l.remaining, l.held, l.earned_at, l.expires_at, l.origin
            FROM account a LEFT JOIN lot l ON l.account = a.id AND (l.remaining > 0 OR l.held > 0)
            WHERE a.owner = $1 AND a.member IN ('cash', 'points', 'refund', 'gift') AND a.kind = 10
            ORDER BY a.member, a.unit, l.expires_at NULLS LAST, l.earned_at, l.id
            """, row => (Segment: row.GetString(0), Unit: row.GetString(1), Free: row.GetInt64(2), Held: row.GetInt64(3),
                Lot: row.IsDBNull(4) ? null : new Lot(row.GetInt64(4).ToString(System.Globalization.CultureInfo.InvariantCulture), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), new(row.GetInt64(8)), Rows.OptionalTime(row, 9), row.GetString(10))), customerId);
        return [.. rows.GroupBy(r => (r.Segment, r.Unit, r.Free, r.Held)).Select(account =>
        {
            var lots = account.Where(r => r.Lot is not null).Select(r => r.Lot!).ToArray();
            var expired = lots.Where(l => l.ExpiresAt is { } end && end <= now).Sum(l => l.Remaining);
            return new Balance(account.Key.Segment, account.Key.Unit, account.Key.Free - expired, account.Key.Held, lots);
        })];
    }

    public IReadOnlyList<CustomerCoupon> CouponsOf(string customerId) => Query.Many(source, """
        SELECT c.code, c.campaign, c.customer, c.uses_max, c.revoked, c.created_at, coalesce(a.held, 0), coalesce(a.used, 0),
            (SELECT document FROM campaign WHERE id = c.campaign ORDER BY version DESC LIMIT 1)
        FROM coupon c LEFT JOIN account a ON a.owner = c.code AND a.member = '' AND a.kind = 23 AND a.unit = 'use' WHERE c.customer = $1 ORDER BY c.code LIMIT 1000
        """, row => new CustomerCoupon(Rows.ReadCoupon(row), CampaignJson.Read(row.GetString(8)), row.GetInt64(6) + row.GetInt64(7), row.GetInt64(6)), customerId);

    public IReadOnlyList<Campaign> Campaigns() =>
        Query.Many(source, "SELECT DISTINCT ON (id) document FROM campaign ORDER BY id, version DESC", row => CampaignJson.Read(row.GetString(0)));

    public Campaign? FindCampaign(string campaignId, int version) =>
        Query.First(source, "SELECT document FROM campaign WHERE id = $1 AND version = $2", row => CampaignJson.Read(row.GetString(0)), campaignId, version);

    public CampaignUsage UsageOf(string campaignId) => Query.First(source, """
        SELECT coalesce(sum(held) FILTER (WHERE kind = 20), 0)::bigint, coalesce(sum(used) FILTER (WHERE kind = 20), 0)::bigint,
            coalesce(sum(held) FILTER (WHERE kind = 21), 0)::bigint, coalesce(sum(used) FILTER (WHERE kind = 21), 0)::bigint, (SELECT count(*) FROM coupon WHERE campaign = $1)
        FROM account WHERE owner = $1 AND member = '' AND kind IN (20, 21)
        """, row => new CampaignUsage(campaignId, row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)), campaignId)!;

    public IReadOnlyList<Coupon> CouponsOfCampaign(string campaignId, int max, string? afterCode) =>
        Query.Many(source, $"SELECT {Rows.CouponColumns} FROM coupon WHERE campaign = $1 AND code > $2 ORDER BY code LIMIT $3", Rows.ReadCoupon, campaignId, afterCode ?? "", max);

    public RemainingLimits RemainingLimits(string campaignId, string? code, string customerId) => Query.First(source, """
        SELECT k.document, (SELECT uses_max FROM coupon WHERE code = $2), coalesce(u.held + u.used, 0), coalesce(b.held + b.used, 0), coalesce(e.held + e.used, 0), coalesce(c.held + c.used, 0)
        FROM (SELECT document FROM campaign WHERE id = $1 ORDER BY version DESC LIMIT 1) k
        LEFT JOIN account u ON u.owner = $1 AND u.member = '' AND u.kind = 20
        LEFT JOIN account b ON b.owner = $1 AND b.member = '' AND b.kind = 21
        LEFT JOIN account e ON e.owner = $1 AND e.member = $3 AND e.kind = 22
        LEFT JOIN account c ON c.owner = $2 AND c.member = '' AND c.kind = 23
        """, row =>
    {
        var limits = CampaignJson.Read(row.GetString(0)).Limits;
        return new RemainingLimits(Left(limits.UsesMax, row.GetInt64(2)), Left(limits.BudgetMinorUnits, row.GetInt64(3)), Left(limits.UsesPerCustomerMax, row.GetInt64(4)),
            Left(Rows.OptionalLong(row, 1), row.GetInt64(5)));
    }, campaignId, code ?? "", customerId) ?? new(null, null, null, null);

    public IReadOnlyList<LogRecord> ReadLog(long afterPosition, int max)
    {
        sequencer.CatchUp();
        return Query.Many(source, "SELECT l.position, e.topic, e.key, e.value, e.at, e.state_hash FROM leaf l JOIN entry e ON e.id = l.entry WHERE l.position > $1 AND e.topic IS NOT NULL ORDER BY l.position LIMIT $2",
            row => new LogRecord(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetFieldValue<byte[]>(3), new(row.GetInt64(4)), unchecked((ulong)row.GetInt64(5))), afterPosition, max);
    }

    public IReadOnlyList<OutboxEvent> ReadOutbox(long afterPosition, int max)
    {
        sequencer.CatchUp();
        return Query.Many(source, """
            SELECT l.outbox_before + o.line + 1, o.at, o.type, o.key, o.payload
            FROM (SELECT entry, outbox_before, outbox_through FROM leaf WHERE outbox_through > $1 AND outbox_through > outbox_before ORDER BY outbox_through LIMIT $2) l
            JOIN outbox o ON o.entry = l.entry WHERE l.outbox_before + o.line + 1 > $1 ORDER BY 1 LIMIT $2
            """, row => new OutboxEvent(row.GetInt64(0), new(row.GetInt64(1)), row.GetString(2), row.GetString(3), row.GetFieldValue<byte[]>(4)), afterPosition, max);
    }

    private long Place(string sql)
    {
        sequencer.CatchUp();
        return Query.First(source, sql, row => row.GetInt64(0));
    }

    private static long? Left(long? limit, long taken) => limit is { } max ? Math.Max(0, max - taken) : null;
}
