using System.Globalization;
using Promotions.Domain;

namespace Promotions.Training.Search;

/// <summary>Learn from the past, be measured on what followed: rows before <paramref name="TrainEnd"/> teach, those of the test window measure.</summary>
/// <param name="TrainEnd">Count of rows from the beginning.</param>
public sealed record Fold(int TrainEnd, int TestFrom, int TestTo);

/// <summary>Prequential folds: test windows of equal length at the end of the period, each learned for from everything whose label had come when it begins (Dawid 1984; Gama et al. 2013).</summary>
public static class PrequentialFolds
{
    /// <summary>Share of the period, at its end, that test windows cover.</summary>
    private const double TestShare = 0.4;
    private const int AbuseMin = 10;

    /// <param name="rows">In order of time.</param>
    /// <param name="labelDelay">Between the last row to learn from and the first to be measured on.</param>
    /// <exception cref="InvalidDataException">The period is too short, or a fold would have one class only: says which.</exception>
    public static IReadOnlyList<Fold> Make(IReadOnlyList<TrainingRow> rows, int count, TimeSpan labelDelay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 2);
        if (rows.Count == 0) throw new InvalidDataException("There are no rows to search on.");
        var (first, end) = (rows[0].At.UnixMilliseconds, rows[^1].At.UnixMilliseconds + 1);
        var window = (long)((end - first) * TestShare / count);
        var folds = new List<Fold>();
        for (var f = 0; f < count; f++)
        {
            var from = end - ((count - f) * window);
            var fold = new Fold(Before(rows, from - (long)labelDelay.TotalMilliseconds), Before(rows, from), Before(rows, from + window));
            Check(rows, 0, fold.TrainEnd, FormattableString.Invariant($"before {new EventTime(from).Plus(-labelDelay)} (the window of fold {f + 1} begins {labelDelay.TotalDays:0.#} days later, when their labels have come)"));
            Check(rows, fold.TestFrom, fold.TestTo, string.Create(CultureInfo.InvariantCulture, $"of fold {f + 1}'s window, {new EventTime(from)} to {new EventTime(from + window)}"));
            folds.Add(fold);
        }
        return folds;
    }

    private static void Check(IReadOnlyList<TrainingRow> rows, int from, int to, string which)
    {
        var abuse = 0;
        for (var i = from; i < to; i++) abuse += rows[i].Abuse ? 1 : 0;
        if (abuse < AbuseMin || to - from - abuse < AbuseMin)
            throw new InvalidDataException($"Of the {to - from} rows {which} {abuse} are abuse; {AbuseMin} of each class are needed. Take a longer period, fewer folds or a shorter label delay.");
    }

    private static int Before(IReadOnlyList<TrainingRow> rows, long ms)
    {
        int low = 0, high = rows.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (rows[middle].At.UnixMilliseconds < ms) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
