using System.Globalization;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;

namespace Promotions.Simulation.CompleteJourney;

/// <summary>Collects the decisions of a replay and prints two tables: the retailer's own record, and ours.</summary>
public sealed class ReplayReport(CompleteJourneyReplay replay)
{
    private readonly Dictionary<string, (RedemptionStatus Status, RefusalCode Refusal)> _decisions = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">The replay has no such request, or it was added before.</exception>
    public void Add(string redemptionId, RedemptionStatus status, RefusalCode refusal)
    {
        if (!replay.Requests.ContainsKey(redemptionId)) throw new ArgumentException($"The replay has no request {redemptionId}.", nameof(redemptionId));
        _decisions.Add(redemptionId, (status, refusal));
    }

    public int Count(bool realBasket, RedemptionStatus status) => _decisions.Count(one => replay.Requests[one.Key].RealBasket == realBasket && one.Value.Status == status);

    /// <summary>Blocks of real shoppers over decided requests, 0 to 1; NaN before the first.</summary>
    public double FalseAlarmRate => _decisions.Count == 0 ? double.NaN : _decisions.Count(static one => one.Value.Status is RedemptionStatus.Blocked) / (double)_decisions.Count;

    public void WriteTo(TextWriter writer)
    {
        writer.WriteLine("The retailer's own record: mailed pairs of campaign and household that redeemed");
        writer.WriteLine($"{"type",-6}{"redeemed",10}{"mailed",10}{"rate",9}");
        foreach (var row in replay.Record)
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row.Type,-6}{row.Redeemed,10:N0}{row.Mailed,10:N0}{Percent(row.Redeemed, row.Mailed),9}"));
        writer.WriteLine();
        writer.WriteLine("Our decisions, one request per household and day");
        writer.WriteLine($"{"outcome",-36}{"real basket",14}{"completed cart",16}");
        foreach (var status in new[] { RedemptionStatus.Approved, RedemptionStatus.Review, RedemptionStatus.Blocked, RedemptionStatus.Rejected })
            Row(Snake(status.ToString()), Count(true, status), Count(false, status));
        foreach (var reason in _decisions.Values.Where(static one => one.Status is RedemptionStatus.Rejected).Select(static one => one.Refusal).Distinct().Order())
            Row("  " + Snake(reason.ToString()), Refused(true, reason), Refused(false, reason));
        Row("all", _decisions.Keys.Count(id => replay.Requests[id].RealBasket), _decisions.Keys.Count(id => !replay.Requests[id].RealBasket));
        writer.WriteLine();
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"False alarms (blocks; these are real shoppers): {_decisions.Values.Count(static one => one.Status is RedemptionStatus.Blocked):N0} of {_decisions.Count:N0}, {FalseAlarmRate * 100:0.00} %."));
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Assumed: the value of {replay.AssumedValues:N0} of {replay.Campaigns:N0} coupons is 1.00 {CompleteJourneyReplay.Currency}; completed carts are not the retailer's baskets, which are a sample."));

        void Row(string name, int real, int completed) => writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-36}{real,14:N0}{completed,16:N0}"));
        int Refused(bool real, RefusalCode refusal) => _decisions.Count(one => one.Value == (RedemptionStatus.Rejected, refusal) && replay.Requests[one.Key].RealBasket == real);
    }

    private static string Percent(int part, int whole) => whole == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:0.0} %");

    private static string Snake(string words) => string.Concat(words.Select(static (c, i) => char.IsUpper(c) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(c) : c.ToString()));
}
