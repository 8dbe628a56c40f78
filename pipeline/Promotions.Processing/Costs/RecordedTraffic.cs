using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Ledger;

namespace Promotions.Processing.Costs;

/// <summary>Decisions of a span of time, or a sample of them, with the labels that have arrived since.</summary>
/// <param name="Scale">Decisions that each of these stands for: 1 where all were read.</param>
/// <param name="Labels">The last one of each redemption, by its id.</param>
public sealed record TrafficSample(EventTime From, EventTime To, IReadOnlyList<Decision> Decisions, double Scale, IReadOnlyDictionary<string, RecordedLabel> Labels)
{
    /// <summary>What a policy is judged by.</summary>
    public IReadOnlyList<JudgedAttempt> Attempts { get; } =
        [.. Decisions.Select(decision => JudgedAttempt.Of(decision, Labels.TryGetValue(decision.Proposal.Request.Id, out var label) ? label.Abuse : null)).OfType<JudgedAttempt>()];
}

/// <summary>Reads recorded traffic out of the ledger, at a bounded cost however much there is.</summary>
public static class RecordedTraffic
{
    private const int Page = 500;
    private const int Strides = 200;
    private const int LabelsMax = 100_000;

    /// <summary>Everything where it is not much more than asked for; else runs of neighbours at even distances, so that each hour is there with its share.</summary>
    /// <param name="to">Exclusive.</param>
    /// <param name="max">Decisions wanted; at least 200. A span a little fuller is read whole.</param>
    public static TrafficSample Read(ILedgerReader ledger, EventTime from, EventTime to, int max)
    {
        var (low, high) = (FirstAtOrAfter(ledger, from), FirstAtOrAfter(ledger, to));
        var decisions = new List<Decision>();
        var scale = 1.0;
        if (high > low)
        {
            if (Estimate(ledger, low, high) <= max * 1.2) ReadAll(ledger, low, high, decisions);
            else scale = ReadStrides(ledger, low, high, max / Strides, decisions);
        }

        // Positions follow time but for a few that were decided side by side.
        decisions.RemoveAll(decision => decision.DecidedAt < from || decision.DecidedAt >= to);
        var labels = new Dictionary<string, RecordedLabel>(StringComparer.Ordinal);
        foreach (var label in ledger.Labels(low, LabelsMax)) labels[label.RedemptionId] = label;
        return new(from, to, decisions, scale, labels);
    }

    private static void ReadAll(ILedgerReader ledger, long low, long high, List<Decision> into)
    {
        for (var before = high; before > low;)
        {
            var page = ledger.LatestDecisions(Page, before);
            into.AddRange(page.TakeWhile(decision => decision.Position >= low));
            if (page.Count < Page) return;
            before = page[^1].Position;
        }
    }

    private static double ReadStrides(ILedgerReader ledger, long low, long high, int perStride, List<Decision> into)
    {
        var covered = 0L;
        for (var stride = 1; stride <= Strides; stride++)
        {
            var (start, end) = (low + ((high - low) / Strides * (stride - 1)), low + ((high - low) / Strides * stride));
            var page = ledger.LatestDecisions(perStride, end);
            var inside = page.TakeWhile(decision => decision.Position >= start).ToList();
            into.AddRange(inside);
            // A page that ends within its stride covers as far as it reaches, else all of it.
            covered += end - (inside.Count == perStride ? inside[^1].Position : start);
        }

        return covered == 0 ? 1 : Math.Max(1, (double)(high - low) / covered);
    }

    /// <summary>By the density of five places: positions are the log's, and decisions are some of them.</summary>
    private static double Estimate(ILedgerReader ledger, long low, long high)
    {
        var (seen, span) = (0.0, 0.0);
        for (var place = 1; place <= 5; place++)
        {
            var end = low + ((high - low) * place / 5);
            var page = ledger.LatestDecisions(Page / 5, end).TakeWhile(decision => decision.Position >= low).ToList();
            if (page.Count == 0) continue;
            seen += page.Count;
            span += Math.Max(1, end - page[^1].Position);
        }

        return span == 0 ? 0 : seen / span * (high - low);
    }

    /// <summary>A position with every earlier decision before it and every later one at or behind it.</summary>
    public static long FirstAtOrAfter(ILedgerReader ledger, EventTime at)
    {
        var low = 0L;
        var high = ledger.LatestDecisions(1) is [var newest] ? newest.Position + 1 : 0;
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            // Whether the first decision at the time or later lies before the middle shows in the last one before it.
            if (ledger.LatestDecisions(1, middle + 1) is [var found] && found.DecidedAt >= at) high = middle;
            else low = middle + 1;
        }

        return low;
    }
}
