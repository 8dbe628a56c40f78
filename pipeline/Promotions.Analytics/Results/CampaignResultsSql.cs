namespace Promotions.Analytics.Results;

/// <summary>The questions behind a result. Sums only, exact; what they mean is decided in C#.</summary>
internal static class CampaignResultsSql
{
    public const string Campaign = """
        SELECT name, distribution, currency, toUnixTimestamp64Milli(starts_at), if(ends_at IS NULL, NULL, toUnixTimestamp64Milli(assumeNotNull(ends_at))),
            (SELECT max(control_share) FROM $database.campaigns WHERE campaign_id = {campaign:String})
        FROM $database.campaigns WHERE campaign_id = {campaign:String} ORDER BY version DESC LIMIT 1
        """;

    public const string Freshness = "SELECT toInt64(max(last)), toUnixTimestamp64Milli(max(newest_at)) FROM $database.sink_batches";

    // first: the entry that assigned the arm; the others are later ghost offers.
    public const string Arms = """
        SELECT arm, toDate(at) AS day, toInt64(countIf(first)) AS customers, toInt64(countIf(ghost_offer)) AS ghost_offers
        FROM $database.arms WHERE campaign_id = {campaign:String} GROUP BY arm, day ORDER BY day
        """;

    public const string Shares = """
        SELECT share.control_share AS control_share, toInt64(count()) AS customers
        FROM (SELECT campaign_version FROM $database.arms WHERE campaign_id = {campaign:String} AND first) AS assigned
        INNER JOIN (SELECT DISTINCT version, control_share FROM $database.campaigns WHERE campaign_id = {campaign:String}) AS share ON share.version = assigned.campaign_version
        GROUP BY control_share ORDER BY control_share
        """;

    // Each day's change of the sum and of the sum of squares of the customers' totals: adding them up gives both for every day at once.
    public const string Sales = """
        SELECT arm, day, toInt64(sum(amount)) AS sales, toString(sum(square_change)) AS squares, toInt64(sum(placed)) AS orders, toInt64(countIf(placed > 0 AND placed = placed_so_far)) AS new_buyers
        FROM
        (
            SELECT arm, day, amount, placed,
                sum(placed) OVER history AS placed_so_far,
                toInt128(sum(amount) OVER history) AS total,
                total * total - (total - amount) * (total - amount) AS square_change
            FROM
            (
                SELECT arm, customer_id, day, sum(sales) AS amount, sum(orders) AS placed
                FROM $database.campaign_customer_sales
                WHERE campaign_id = {campaign:String} AND currency = {currency:String} AND day <= {last_day:Date}
                GROUP BY arm, customer_id, day
            )
            WINDOW history AS (PARTITION BY arm, customer_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
        )
        GROUP BY arm, day ORDER BY day
        """;

    public const string Redemptions = """
        SELECT
            toInt64(uniqExact(redemption_id)) AS attempted, toInt64(uniqExactIf(redemption_id, status = 'approved')) AS approved, toInt64(uniqExactIf(redemption_id, status = 'review')) AS review,
            toInt64(uniqExactIf(redemption_id, status = 'blocked')) AS blocked, toInt64(uniqExactIf(redemption_id, status = 'rejected')) AS rejected,
            toInt64(uniqExact(customer_id)) AS customers,
            toInt64(sumIf(discount, status IN ('approved', 'review') AND redemption_id NOT IN (SELECT redemption_id FROM $database.hold_endings WHERE campaign_id = {campaign:String}))) AS held
        FROM $database.redemptions WHERE campaign_id = {campaign:String}
        """;

    public const string Captures = """
        SELECT
            toInt64(uniqExact(redemption_id)) AS redeemed, toInt64(sum(discount)) AS discount, toInt64(uniqExact(customer_id)) AS customers,
            toInt64(uniqExactIf(customer_id, customer_id IN (SELECT customer_id FROM $database.arms WHERE campaign_id = {campaign:String} AND first AND arm = 'treated'))) AS treated,
            toInt64(uniqExactIf(code, code IN (SELECT code FROM $database.coupons WHERE campaign_id = {campaign:String} GROUP BY code HAVING argMax(event, position) != 'revoked'))) AS codes
        FROM $database.hold_endings WHERE campaign_id = {campaign:String} AND ending = 'captured'
        """;

    public const string Coupons = """
        SELECT toInt64(count()) AS issued, toInt64(countIf(uses_max = 1)) AS single_use
        FROM (SELECT code, argMax(event, position) AS state, argMaxIf(uses_max, position, event != 'revoked') AS uses_max FROM $database.coupons WHERE campaign_id = {campaign:String} GROUP BY code)
        WHERE state != 'revoked'
        """;
}
