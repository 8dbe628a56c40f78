using System.Globalization;
using System.Numerics;
using ClickHouse.Driver;
using ClickHouse.Driver.ADO.Readers;
using Promotions.Analytics.Statistics;
using Promotions.Domain;
using Promotions.Domain.Campaigns;

namespace Promotions.Analytics.Results;

/// <summary>Asks ClickHouse for sums and makes a result of them.</summary>
/// <param name="outboxPosition">The ledger's last outbox position, to say how far ClickHouse is behind; null when nobody can be asked.</param>
public sealed class CampaignResults(AnalyticsDatabase database, Func<long>? outboxPosition = null) : ICampaignResults
{
    private const string Returns = "Returns are taken off the customer's sales on the day of the order they belong to, whenever they arrive.";
    private const int UnknownDatabase = 81, UnknownTable = 60;

    public async Task<CampaignResult?> ComputeAsync(string campaignId, CancellationToken cancellationToken)
    {
        try
        {
            return await FromTablesAsync(campaignId, cancellationToken);
        }
        catch (ClickHouseServerException e) when (e.ErrorCode is UnknownDatabase or UnknownTable)
        {
            throw new AnalyticsUnavailableException("ClickHouse has no tables yet: the sink makes them when it first reaches it.", e);
        }
    }

    private async Task<CampaignResult?> FromTablesAsync(string campaignId, CancellationToken cancellationToken)
    {
        var asked = new Dictionary<string, object> { ["campaign"] = campaignId };
        var found = await database.QueryAsync(CampaignResultsSql.Campaign, asked, static row => new Header(
            row.GetString(0), row.GetString(1), row.GetString(2), Number(row, 3), row.IsDBNull(4) ? null : Number(row, 4), Number(row, 5) > 0), cancellationToken);
        if (found.Count == 0) return null;
        var campaign = found[0];

        var freshness = (await database.QueryAsync(CampaignResultsSql.Freshness, null, static row => (Last: Number(row, 0), NewestAt: Number(row, 1)), cancellationToken))[0];
        var asOf = new EventTime(freshness.NewestAt);
        var lastDay = Day(asOf);
        if (campaign.EndsAt is { } end && Day(new(end - 1)) < lastDay) lastDay = Day(new(end - 1));

        asked["currency"] = campaign.Currency;
        asked["last_day"] = lastDay;
        var assigned = await database.QueryAsync(CampaignResultsSql.Arms, asked, static row => (Arm: ArmOf(row), Day: Date(row, 1), Customers: Number(row, 2), Ghosts: Number(row, 3)), cancellationToken);
        var sold = await database.QueryAsync(CampaignResultsSql.Sales, asked, static row => (Arm: ArmOf(row), Day: new ArmDay(
            Date(row, 1), 0, Number(row, 2), BigInteger.Parse(row.GetString(3), CultureInfo.InvariantCulture), Number(row, 4), Number(row, 5))), cancellationToken);
        var shares = await database.QueryAsync(CampaignResultsSql.Shares, asked, static row => (BasisPoints: Number(row, 0), Customers: Number(row, 1)), cancellationToken);
        var (redemptions, cost, held) = await RedemptionsAsync(campaign, assigned.Where(static row => row.Arm is Arm.Treated).Sum(static row => row.Customers), asked, cancellationToken);

        ArmCurve Curve(Arm arm) => new(assigned.Where(row => row.Arm == arm).Select(static row => new ArmDay(row.Day, row.Customers, 0, 0, 0, 0))
            .Concat(sold.Where(row => row.Arm == arm).Select(static row => row.Day)));
        var (treated, control) = (Curve(Arm.Treated), Curve(Arm.Control));
        var daily = SalesCurve.Draw(treated, control, lastDay, campaign.ControlGroup);
        treated.AdvanceTo(DateOnly.MaxValue);   // a customer triggered after the last day of sales still counts
        control.AdvanceTo(DateOnly.MaxValue);

        long Ghosts(Arm arm) => assigned.Where(row => row.Arm == arm).Sum(static row => row.Ghosts);
        return new(
            campaignId, campaign.Name, campaign.Currency, Window(campaign),
            new(freshness.Last > 0 ? asOf : null, freshness.Last, outboxPosition is null ? null : Math.Max(0, outboxPosition() - freshness.Last)),
            Returns, redemptions, Result(Arm.Treated, treated, Ghosts(Arm.Treated)), Result(Arm.Control, control, Ghosts(Arm.Control)),
            EffectRule.Of(treated.Moments, treated.Total.NewBuyers, control.Moments, control.Total.NewBuyers, campaign.ControlGroup, cost),
            cost, held, Ratio(treated.Total.Customers, control.Total.Customers, shares), daily);
    }

    private async Task<(RedemptionFunnel Funnel, long Cost, long Held)> RedemptionsAsync(
        Header campaign, long treatedCustomers, IReadOnlyDictionary<string, object> asked, CancellationToken cancellationToken)
    {
        static long[] All(ClickHouseDataReader row)
        {
            var numbers = new long[row.FieldCount];
            for (var i = 0; i < numbers.Length; i++) numbers[i] = Number(row, i);
            return numbers;
        }

        var tried = (await database.QueryAsync(CampaignResultsSql.Redemptions, asked, All, cancellationToken))[0];
        var captured = (await database.QueryAsync(CampaignResultsSql.Captures, asked, All, cancellationToken))[0];
        var coupons = (await database.QueryAsync(CampaignResultsSql.Coupons, asked, All, cancellationToken))[0];

        // A rate needs a whole whose every member is redeemed once or not at all: single-use coupons, else customers.
        var rate = campaign.Distribution != "public" && coupons[0] > 0 && coupons[1] == coupons[0] ? Rate(captured[4], coupons[0], "coupons_issued")
            : treatedCustomers > 0 ? Rate(captured[3], treatedCustomers, "treated_customers")
            : Rate(captured[2], tried[5], "customers_attempted");
        return (new(coupons[0], tried[0], tried[1], tried[2], tried[3], tried[4], captured[0], rate), captured[1], tried[6]);
    }

    private static RateEstimate Rate(long count, long of, string denominator)
    {
        if (of == 0) return new(count, of, denominator, null, "Nobody could have redeemed yet.");
        // A capture whose decision lies in a later batch would put the count ahead for a moment.
        var capped = Math.Min(count, of);
        var (low, high) = WilsonInterval.Of(capped, of);
        return new(capped, of, denominator, new((double)capped / of, low, high), null);
    }

    private static ResultWindow Window(Header campaign) => new(
        new(campaign.StartsAt), campaign.EndsAt is { } end ? new EventTime(new DateTimeOffset(Day(new(end - 1)).AddDays(1), TimeOnly.MinValue, TimeSpan.Zero).ToUnixTimeMilliseconds()) : null,
        $"All customers triggered, by arm, whether they redeemed, were blocked or never came back; their orders in {campaign.Currency} from the first trigger on.");

    private static ArmResult Result(Arm arm, ArmCurve curve, long ghosts) => new(
        arm, curve.Total.Customers, curve.Total.NewBuyers, curve.Total.Orders, (long)curve.Total.Sales, SalesCurve.Mean(curve.Moments), ghosts);

    private static SampleRatioCheck Ratio(long treated, long control, List<(long BasisPoints, long Customers)> shares)
    {
        var total = shares.Sum(static share => share.Customers);
        var expected = total == 0 ? 0 : shares.Sum(static share => share.BasisPoints / 10_000.0 * share.Customers) / total;
        if (total == 0 || expected == 0) return new(treated, control, expected, null, false);
        var p = SampleRatio.PValueOfControl(control, [.. shares.Select(static share => (share.Customers, share.BasisPoints / 10_000.0))]);
        return new(treated, control, expected, p, p < SampleRatio.MismatchBelow);
    }

    private static long Number(ClickHouseDataReader row, int column) => Convert.ToInt64(row.GetValue(column), CultureInfo.InvariantCulture);
    private static Arm ArmOf(ClickHouseDataReader row) => row.GetString(0) == "control" ? Arm.Control : Arm.Treated;
    private static DateOnly Day(EventTime at) => DateOnly.FromDateTime(at.ToDateTimeOffset().UtcDateTime);

    private static DateOnly Date(ClickHouseDataReader row, int column) => row.GetValue(column) switch
    {
        DateOnly day => day,
        DateTime at => DateOnly.FromDateTime(at),
        var other => throw new InvalidOperationException($"ClickHouse sent {other.GetType().Name} for a date."),
    };

    private sealed record Header(string Name, string Distribution, string Currency, long StartsAt, long? EndsAt, bool ControlGroup);
}
