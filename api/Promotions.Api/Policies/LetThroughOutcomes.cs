using Promotions.Contracts;
using Promotions.Domain;
using Promotions.Processing.Costs;
using Promotions.Processing.Decisions;

namespace Promotions.Api.Policies;

/// <summary>What was let through, told.</summary>
internal static class LetThroughOutcomes
{
    public const int DaysUsual = 90;

    /// <summary>Chargebacks take weeks.</summary>
    public const int MatureAfterDaysUsual = 45;

    /// <summary>Of the intervals' draws: the same question has the same answer until something new arrives.</summary>
    private const int Seed = 20_261_124;

    public static async Task<LetThroughOutcomesAnswer> TellAsync(IWouldBeBlocks blocks, FraudCosts costs, EventTime now, int days, int matureAfterDays, CancellationToken cancellationToken)
    {
        var from = EventTime.From(new DateTimeOffset(now.ToDateTimeOffset().UtcDateTime.Date.AddDays(1 - days), TimeSpan.Zero));
        var read = await blocks.ReadAsync(from, cancellationToken);
        return new(days, matureAfterDays, [.. read.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => Tell(pair.Key, LetThroughOutcome.Of(pair.Value, costs, now, TimeSpan.FromDays(matureAfterDays), Seed)))]);
    }

    private static LetThroughOutcomeAnswer Tell(string currency, LetThroughOutcome outcome) => new(
        currency, outcome.WouldBe, outcome.WithoutRoom, outcome.Passed, outcome.ValuePassed, outcome.TooYoung, outcome.Judged, outcome.JudgedAbuse, Tell(outcome.AbuseShare), Tell(outcome.Saved));

    private static IntervalAnswer? Tell(Range95? range) => range is { } told ? new(told.Value, told.Low, told.High) : null;
}
