using Promotions.Domain.Decisions;
using Promotions.Ledger;
using Promotions.Processing.Decisions;

namespace Promotions.Processing.Reviews;

/// <summary>A judged case near another one.</summary>
/// <param name="Distance">Log-odds, 0 or more; 0 where every reason weighs the same.</param>
/// <param name="Shared">Features that speak the same way in both, the strongest first.</param>
public sealed record SimilarCase(LabelledDecision Labelled, double Distance, IReadOnlyList<string> Shared);

/// <param name="Cases">The nearest first.</param>
/// <param name="LookedAt">Judged cases that were compared.</param>
/// <param name="MissingBecause">A sentence, where nothing can be compared; null otherwise.</param>
public sealed record SimilarCasesFound(IReadOnlyList<SimilarCase> Cases, int LookedAt, string? MissingBecause);

/// <summary>Past cases with a label whose scores came about alike.</summary>
/// <remarks>The distance is the Euclidean one between contributions (TreeSHAP, log-odds), after "supervised clustering" of Lundberg, Erion and Lee 2018 (Consistent Individualized Feature
/// Attribution for Tree Ensembles): every feature counts by what it did to the score, so no unit has to be scaled. A reason that is not among a record's strongest counts as 0.</remarks>
public sealed class SimilarCases(ILedgerReader ledger, DecisionExplainer explainer)
{
    /// <summary>The newest labels that are looked at.</summary>
    public const int LabelsMax = 500;

    private const int SharedMax = 3;

    /// <param name="max">Cases wanted, 1 or more.</param>
    /// <param name="mayBeSeen">Which cases whoever asks may see; null: all.</param>
    /// <exception cref="LedgerFaultException">The ledger cannot be read.</exception>
    public SimilarCasesFound Find(Decision decision, int max, Func<Decision, bool>? mayBeSeen = null)
    {
        var of = Contributions(decision);
        if (of.Count == 0) return new([], 0, "No model's reasons are recorded for this case, so there is nothing to compare by.");
        var seen = new HashSet<string>(StringComparer.Ordinal) { decision.Proposal.Request.Id };
        var near = new List<SimilarCase>();
        foreach (var labelled in ledger.LatestLabelled(LabelsMax))
        {
            if (!seen.Add(labelled.Decision.Proposal.Request.Id)) continue;      // the newest label of each comes first, and counts
            if (mayBeSeen?.Invoke(labelled.Decision) is false) continue;
            var other = Contributions(labelled.Decision);
            if (other.Count > 0) near.Add(new(labelled, Distance(of, other), Shared(of, other)));
        }

        return new(
            [.. near.OrderBy(one => one.Distance).ThenByDescending(one => one.Labelled.Decision.Position).Take(max)], near.Count,
            near.Count == 0 ? "No other case with a label and a score is among the newest labels." : null);
    }

    private Dictionary<string, double> Contributions(Decision decision)
    {
        var told = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var reason in explainer.Explain(decision).Reasons)
            if (reason.Contribution != 0) told[reason.Feature] = reason.Contribution;
        return told;
    }

    /// <summary>Features in one only are at 0 in the other.</summary>
    internal static double Distance(IReadOnlyDictionary<string, double> left, IReadOnlyDictionary<string, double> right)
    {
        var sum = 0.0;
        foreach (var (feature, value) in left)
        {
            var apart = value - right.GetValueOrDefault(feature);
            sum += apart * apart;
        }

        foreach (var (feature, value) in right)
            if (!left.ContainsKey(feature)) sum += value * value;
        return Math.Sqrt(sum);
    }

    private static string[] Shared(Dictionary<string, double> left, Dictionary<string, double> right) =>
        [.. left.Where(one => right.TryGetValue(one.Key, out var other) && Math.Sign(other) == Math.Sign(one.Value))
            .OrderByDescending(one => Math.Min(Math.Abs(one.Value), Math.Abs(right[one.Key]))).Take(SharedMax).Select(one => one.Key)];
}
