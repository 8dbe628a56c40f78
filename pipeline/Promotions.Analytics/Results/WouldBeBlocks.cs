using System.Globalization;
using ClickHouse.Driver;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Processing.Costs;

namespace Promotions.Analytics.Results;

/// <summary>Asks ClickHouse for them: the ledger finds decisions by customer and by place, and these are few among many.</summary>
public sealed class WouldBeBlocks(AnalyticsDatabase database) : IWouldBeBlocks
{
    private const int UnknownDatabase = 81, UnknownTable = 60;

    /// <summary>A device's attempts are drawn together, whatever the account; where none is named, a customer's.</summary>
    private const string Sql = """
        SELECT toInt64(b.position), toUnixTimestamp64Milli(b.at), if(b.device_id = '', concat('customer:', b.customer_id), concat('device:', b.device_id)), b.currency, b.status,
            b.propensity, b.drawn, b.value, b.value_per_day_max, b.discount, b.order_total, if(l.labels = 0, -1, toInt8(l.abuse))
        FROM (SELECT * FROM $database.would_be_blocks WHERE at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')) AS b
        LEFT JOIN
        (
            SELECT redemption_id, argMax(abuse, position) AS abuse, count() AS labels FROM $database.labels
            WHERE redemption_id IN (SELECT redemption_id FROM $database.would_be_blocks WHERE at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC'))
            GROUP BY redemption_id
        ) AS l ON l.redemption_id = b.redemption_id
        ORDER BY b.currency, b.position
        """;

    /// <exception cref="AnalyticsUnavailableException">ClickHouse does not answer; decisions are not affected. Try again later.</exception>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<WouldBeBlock>>> ReadAsync(EventTime from, CancellationToken cancellationToken)
    {
        try
        {
            var rows = await database.QueryAsync(Sql, new Dictionary<string, object> { ["from"] = from.UnixMilliseconds }, static row =>
            {
                long Number(int column) => Convert.ToInt64(row.GetValue(column), CultureInfo.InvariantCulture);
                return (Currency: row.GetString(3), Attempt: new WouldBeBlock(
                    Number(0), new(Number(1)), row.GetString(2), StatusOf(row.GetString(4)), Convert.ToDouble(row.GetValue(5), CultureInfo.InvariantCulture), Number(6) != 0, Number(7), Number(8), Number(9), Number(10),
                    Number(11) switch { < 0 => null, 0 => false, _ => true }));
            }, cancellationToken);
            return rows.GroupBy(row => row.Currency, StringComparer.Ordinal).ToDictionary(group => group.Key, group => (IReadOnlyList<WouldBeBlock>)[.. group.Select(row => row.Attempt)], StringComparer.Ordinal);
        }
        catch (ClickHouseServerException e) when (e.ErrorCode is UnknownDatabase or UnknownTable)
        {
            throw new AnalyticsUnavailableException("ClickHouse has no tables yet: the sink makes them when it first reaches it.", e);
        }
    }

    private static RedemptionStatus StatusOf(string wire) => wire switch
    {
        "approved" => RedemptionStatus.Approved,
        "blocked" => RedemptionStatus.Blocked,
        "rejected" => RedemptionStatus.Rejected,
        _ => throw new InvalidOperationException($"A would-be block is recorded as '{wire}'."),
    };
}
