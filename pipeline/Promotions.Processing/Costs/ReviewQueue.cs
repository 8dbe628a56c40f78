using Promotions.Domain.Events;
using Promotions.Processing.Decisions;

namespace Promotions.Processing.Costs;

/// <summary>What reviewers find among the k attempts of each day that the model is most sure of.</summary>
/// <param name="Looked">Attempts: k a day, or fewer where a day had fewer.</param>
/// <param name="Known">Of them, those with a label.</param>
/// <param name="Precision">Share of abuse among the known; NaN where none is.</param>
/// <param name="Expected">Share of abuse among all looked at, by label or else by probability.</param>
public sealed record PrecisionAtK(int K, long Looked, long Known, double Precision, double Expected);

/// <summary>The review band against the people who work through it.</summary>
public static class ReviewQueue
{
    private const long DayMs = 86_400_000;

    /// <summary>The lowest review floor, at least the policy's own, with which no more is reviewed than there are people for. Blocks below it pass too: they are rarer, and less certain than any review above it.</summary>
    /// <param name="perDay">Flags that reviewers answer in a day.</param>
    /// <param name="days">That the attempts stand for.</param>
    /// <param name="scale">Attempts that each of these stands for, where they are a sample; at least 1.</param>
    public static double FloorFor(IReadOnlyList<JudgedAttempt> attempts, FraudPolicy policy, double perDay, double days, double scale)
    {
        // Attempts without a score are reviewed whatever the floor is: they take their part first.
        var reviews = attempts.Where(attempt => attempt.VerdictUnder(policy) is RedemptionStatus.Review).ToArray();
        double[] scored = [.. reviews.Where(attempt => !double.IsNaN(attempt.Probability)).Select(attempt => attempt.Probability).OrderDescending()];
        var room = (int)Math.Clamp(Math.Floor((perDay * days / scale) - (reviews.Length - scored.Length)), 0, scored.Length);
        // Just above the first that has no room: those with its probability go with it.
        return room == scored.Length ? policy.ReviewFloor : Math.Min(1, Math.Max(policy.ReviewFloor, Math.BitIncrement(scored[room])));
    }

    /// <param name="k">1 or more.</param>
    public static PrecisionAtK PrecisionAt(IReadOnlyList<JudgedAttempt> attempts, int k)
    {
        long looked = 0, known = 0, abuse = 0;
        var expected = 0.0;
        foreach (var day in attempts.Where(attempt => !double.IsNaN(attempt.Probability)).GroupBy(attempt => attempt.At.UnixMilliseconds / DayMs))
        {
            foreach (var attempt in day.OrderByDescending(attempt => attempt.Probability).ThenBy(attempt => attempt.At.UnixMilliseconds).ThenBy(attempt => attempt.Cluster, StringComparer.Ordinal).Take(k))
            {
                looked++;
                expected += attempt.AbuseExpected;
                if (attempt.Abuse is null) continue;
                known++;
                if (attempt.Abuse is true) abuse++;
            }
        }

        return new(k, looked, known, known == 0 ? double.NaN : (double)abuse / known, looked == 0 ? double.NaN : expected / looked);
    }
}
