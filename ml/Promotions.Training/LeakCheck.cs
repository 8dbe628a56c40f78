namespace Promotions.Training;

/// <summary>A feature that alone tells abuse from honest rows better than a behaviour can.</summary>
/// <param name="Auc">Of the feature alone, in the direction that separates better; a missing value is below or above all others, whichever tells more.</param>
public sealed record LeakSuspect(int Index, string Feature, double Auc);

/// <summary>Looks for features that know the label: filled in after the fact, or made of it.</summary>
/// <remarks>A first look, not a proof: it finds a feature that leaks alone, not one that leaks a little or only together with another.</remarks>
public static class LeakCheck
{
    /// <summary>No counted behaviour of a shop separates that well by itself.</summary>
    public const double AucMax = 0.99;

    /// <summary>With fewer rows of either class a feature may separate them by luck.</summary>
    private const int ClassMin = 30;

    /// <summary>Worst first. Empty where too few rows of a class are there to judge.</summary>
    public static IReadOnlyList<LeakSuspect> Suspects(IReadOnlyList<TrainingRow> rows, IReadOnlyList<string> features) =>
        [.. Strongest(rows, features).TakeWhile(one => one.Auc > AucMax)];

    /// <summary>All features by what they tell alone, most first.</summary>
    public static IReadOnlyList<LeakSuspect> Strongest(IReadOnlyList<TrainingRow> rows, IReadOnlyList<string> features)
    {
        bool[] labels = [.. rows.Select(row => row.Abuse)];
        var abuse = labels.Count(label => label);
        if (abuse < ClassMin || labels.Length - abuse < ClassMin) return [];
        var found = new LeakSuspect[features.Count];
        Parallel.For(0, features.Count, f => found[f] = new(f, features[f], AucOf(rows, f, labels)));
        return [.. found.OrderByDescending(one => one.Auc).ThenBy(one => one.Index)];
    }

    /// <exception cref="InvalidDataException">Names the suspects that were not accepted.</exception>
    internal static void Refuse(IReadOnlyList<TrainingRow> rows, IReadOnlyList<string> features, IReadOnlyCollection<string> accepted)
    {
        if (accepted.FirstOrDefault(name => !features.Contains(name)) is { } unknown) throw new InvalidDataException($"The accepted feature '{unknown}' is none of the data set's.");
        LeakSuspect[] suspects = [.. Suspects(rows, features).Where(one => !accepted.Contains(one.Feature))];
        if (suspects.Length == 0) return;
        throw new InvalidDataException(FormattableString.Invariant(
            $"Too good to be true: {string.Join(", ", suspects.Select(one => FormattableString.Invariant($"'{one.Feature}' alone has an AUC of {one.Auc:0.0000}")))}. It probably knows the label: find out when its value is written. Where it is right, accept it by name (--accept)."));
    }

    private static double AucOf(IReadOnlyList<TrainingRow> rows, int feature, bool[] labels)
    {
        var scores = new double[rows.Count];
        double best = 0;
        foreach (var missing in (ReadOnlySpan<double>)[double.NegativeInfinity, double.PositiveInfinity])
        {
            for (var i = 0; i < scores.Length; i++) scores[i] = float.IsNaN(rows[i].Vector[feature]) ? missing : rows[i].Vector[feature];
            var auc = Evaluation.Auc(scores, labels);
            best = Math.Max(best, Math.Max(auc, 1 - auc));
        }

        return best;
    }
}
