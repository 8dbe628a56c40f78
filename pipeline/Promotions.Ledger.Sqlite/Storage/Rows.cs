using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger.Formats;

namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>Rows as the writer and the readers both read them.</summary>
internal static class Rows
{
    /// <summary>Postings, lot moves of an entry: id = position · 2^16 + number.</summary>
    public const int LinesShift = 16;

    public const string DecisionColumns = "d.position, d.status, d.refusal, d.decided_at, d.hold_expires_at, d.document, d.vector, h.state";
    public const string DecisionTables = "decision d LEFT JOIN hold h ON h.position = d.position";
    public const string CouponColumns = "code, campaign, customer, uses_max, revoked, created_at";

    public static long FirstLine(long position) => checked(position << LinesShift);

    public static Decision ReadDecision(Statement row, int from = 0) => new(
        row.Long(from), ProposalCodec.Decode(row.BlobSpan(from + 5), row.BlobSpan(from + 6)), (RedemptionStatus)row.Int(from + 1), (RefusalCode)row.Int(from + 2),
        row.IsNull(from + 7) ? HoldState.None : (HoldState)row.Int(from + 7), Time(row.OptionalLong(from + 4)), new(row.Long(from + 3)));

    public static Coupon ReadCoupon(Statement row, int from = 0) =>
        new(row.Text(from), row.Text(from + 1), row.OptionalText(from + 2), row.OptionalLong(from + 3), row.Long(from + 4) != 0, new(row.Long(from + 5)));

    public static EventTime? Time(long? milliseconds) => milliseconds is { } ms ? new EventTime(ms) : null;
}
