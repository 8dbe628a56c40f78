using System.Data.Common;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger.Formats;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>Rows as the writer and the readers both read them.</summary>
internal static class Rows
{
    public const string DecisionColumns = "d.entry, d.status, d.refusal, d.decided_at, d.hold_expires_at, d.document, d.vector, h.state";
    public const string DecisionTables = "decision d LEFT JOIN hold h ON h.entry = d.entry";
    public const string CouponColumns = "code, campaign, customer, uses_max, revoked, created_at";

    public static Decision ReadDecision(DbDataReader row) => new(
        row.GetInt64(0), ProposalCodec.Decode(row.GetFieldValue<byte[]>(5), row.GetFieldValue<byte[]>(6)), (RedemptionStatus)row.GetInt16(1), (RefusalCode)row.GetInt16(2),
        row.IsDBNull(7) ? HoldState.None : (HoldState)row.GetInt16(7), OptionalTime(row, 4), new(row.GetInt64(3)));

    public static Coupon ReadCoupon(DbDataReader row) =>
        new(row.GetString(0), row.GetString(1), OptionalText(row, 2), OptionalLong(row, 3), row.GetBoolean(4), new(row.GetInt64(5)));

    public static string? OptionalText(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
    public static long? OptionalLong(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
    public static EventTime? OptionalTime(DbDataReader row, int column) => row.IsDBNull(column) ? null : new EventTime(row.GetInt64(column));
}
