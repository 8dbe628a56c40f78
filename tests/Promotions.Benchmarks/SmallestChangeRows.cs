using System.Diagnostics;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Changes;
using Promotions.Processing.Decisions;
using Promotions.Processing.State;
using Promotions.Processing.Topologies;
using Promotions.Scoring;

namespace Promotions.Benchmarks;

/// <summary>What the search for a smallest change costs whoever opens a decision: nothing helps, so every combination is priced and scored by the shipped model.</summary>
internal static class SmallestChangeRows
{
    private const double BudgetMs = 250;

    public static void Measure(BenchReport report)
    {
        report.Progress("the smallest change, where nothing helps");
        var scorer = TreeScorer.Load(File.ReadAllBytes(Path.Combine("ml", "models", "default.json")), FeatureRegistry.LayoutHash);
        // A review is free and catches all, so nothing is ever approved.
        var policy = new FraudPolicy(1, new(1_000_000_000, 0, 5, 500, 1), 0, [], [], TimeSpan.FromMinutes(30));
        foreach (var (name, lines, beside) in ((string, int, double?)[])[("explain.smallest_change", 5, null), ("explain.smallest_change_largest", 24, BudgetMs)])
        {
            var decision = Reviewed(scorer, policy, lines);
            var finder = new SmallestChangeFinder(new FeatureCatalog(), _ => scorer, _ => policy, (_, _) => null);
            var answer = finder.Find(decision);
            if (answer.Smallest is not null || answer.MissingBecause is not null) throw new InvalidOperationException(answer.Sentence);
            var times = new List<double>();
            for (var pass = 0; pass < 9; pass++)
            {
                var start = Stopwatch.GetTimestamp();
                finder.Find(decision);
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            times.Sort();
            report.Cost(name, times[times.Count / 2], "ms", beside, $"{answer.LookedAt} combinations of up to {answer.ChangesMax} changes, cart of {lines} lines{(beside is null ? "" : "; beside the budget")}");
        }
    }

    private static Decision Reviewed(IScorer scorer, FraudPolicy policy, int lines)
    {
        var request = new RedemptionRequest(
            AttemptKind.Redemption, "r-1", "web-de", "key-1", new("anna", null), new("o-1", "EUR", [.. Enumerable.Range(1, lines).Select(i => new CartLine($"{i}", "mug", "kitchen", 2, 1_000 + i))], 0), [],
            new("d-1", "203.0.113.9", null, null, null, null), new(1_767_225_600_000), null, null, new byte[32]);
        var entities = Entities.From(request);
        var keys = new List<EntityKey>();
        Entities.Keys(entities, keys);
        var vector = new float[FeatureRegistry.Count];
        FeatureVector.Clear(vector);
        foreach (var key in keys)
        {
            var part = new float[FeatureRegistry.Block(key.Kind).Length];
            EntityState.Load(key, new NoTiles()).Observe(Observation.From(request, entities), part);
            FeatureVector.Put(vector, key.Kind, part);
        }

        var proposal = Decide.Propose(new Decider(new FeatureCatalog()), request, entities, vector, 0, new(scorer, null, policy, Pipeline.BenchShop.Snapshot()));
        return new(1, proposal, proposal.Proposed, RefusalCode.None, HoldState.Held, null, request.At);
    }

    private sealed class NoTiles : ITileReader
    {
        public int Read(in EntityKey entity, uint tile, Span<byte> destination) => -1;
    }
}
