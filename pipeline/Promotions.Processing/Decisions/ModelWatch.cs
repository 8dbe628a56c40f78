using Promotions.Scoring;

namespace Promotions.Processing.Decisions;

/// <summary>What scoring may cost a request.</summary>
/// <param name="ScoreMax">One model's answer to one request. Default 10 ms; a model of 200 × 31 needs 2 µs.</param>
/// <param name="StrikesMax">Slow answers in a row until the model is set aside. Default 3: one alone is a collection of garbage or a busy machine.</param>
/// <param name="AsideFor">How long it is not asked then. Default 30 s; afterwards one slow answer suffices.</param>
public sealed record ModelBudget(TimeSpan ScoreMax, int StrikesMax, TimeSpan AsideFor)
{
    public static readonly ModelBudget Default = new(TimeSpan.FromMilliseconds(10), 3, TimeSpan.FromSeconds(30));
}

/// <summary>One model's answer to one vector.</summary>
/// <param name="Fault">Why there is none; then both numbers are NaN.</param>
internal readonly record struct ModelAnswer(double Raw, double Probability, string? Fault)
{
    public static ModelAnswer None(string because) => new(double.NaN, double.NaN, because);
}

/// <summary>Asks models, and stops asking one that is slow again and again: it must not stop the tills. Not safe from several threads.</summary>
/// <remarks>A call cannot be broken off, and its late answer costs nothing more, so it counts; what is spared is the next requests' time.</remarks>
/// <param name="time">Null where nobody waits (replay, training): then nothing is slow and equal inputs give equal answers.</param>
internal sealed class ModelWatch(TimeProvider? time, ModelBudget budget)
{
    /// <summary>Models change a few times a year; those of a process that runs for ever are forgotten.</summary>
    private const int KnownMax = 16;

    private readonly Dictionary<string, Standing> _standing = new(StringComparer.Ordinal);

    public ModelAnswer Ask(IScorer scorer, ReadOnlySpan<float> vector)
    {
        if (time is null) return Score(scorer, vector);
        var standing = _standing.GetValueOrDefault(scorer.ModelHash);
        var start = time.GetTimestamp();
        if (standing is { IsAside: true })
        {
            if (time.GetElapsedTime(standing.Since, start) < budget.AsideFor)
                return ModelAnswer.None($"the model took more than {budget.ScoreMax.TotalMilliseconds:0.###} ms {budget.StrikesMax} times in a row and is not asked for {budget.AsideFor.TotalSeconds:0.###} s");
        }

        var answer = Score(scorer, vector);
        var slow = time.GetElapsedTime(start) > budget.ScoreMax;
        if (!slow)
        {
            if (standing is not null) _standing.Remove(scorer.ModelHash);
            return answer;
        }

        if (standing is null && _standing.Count == KnownMax) _standing.Clear();
        var strikes = Math.Min(budget.StrikesMax, (standing?.Strikes ?? 0) + 1);
        _standing[scorer.ModelHash] = new(strikes, strikes == budget.StrikesMax, time.GetTimestamp());
        return answer;
    }

    private static ModelAnswer Score(IScorer scorer, ReadOnlySpan<float> vector)
    {
        try
        {
            var raw = scorer.RawScore(vector);
            var probability = scorer.Probability(raw);
            return probability is >= 0 and <= 1 ? new(raw, probability, null) : new(raw, double.NaN, $"the model answered {probability}");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The channel's policy decides and the record says why: a broken model must not stop the tills.
            return ModelAnswer.None(e.GetType().Name + ": " + e.Message);
        }
    }

    /// <param name="Since">Timestamp of the last slow answer.</param>
    private sealed record Standing(int Strikes, bool IsAside, long Since);
}
