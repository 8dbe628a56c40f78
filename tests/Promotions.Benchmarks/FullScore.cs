using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Scoring;
using Promotions.Training;
using Promotions.Training.Tests;

namespace Promotions.Benchmarks;

/// <summary>What models cost a request: the pipeline's own step from a vector to a proposal, with a champion and two challengers of 200 × 31 that were learned from different rows.</summary>
internal static class FullScore
{
    public static void Measure(BenchReport report, ScoringWorkload work)
    {
        report.Progress("learning two challengers");
        IScorer[] challengers = [Learned(work, 41), Learned(work, 51)];
        // Nobody is reviewed, so nothing is explained: explanations have a row of their own.
        var policy = new FraudPolicy(1, FraudCosts.Default, ReviewFloor: 1, [], [], TimeSpan.FromMinutes(30));
        var request = new RedemptionRequest(
            AttemptKind.Redemption, "r-1", "web-de", "key-1", new("anna", null), new("o-1", "EUR", [new("1", "mug", "kitchen", 2, 1_500)], 0), [], new("d-1", "203.0.113.9", null, null, null, null),
            new(0), null, null, new byte[32]);
        var entities = Entities.From(request);
        var priced = new PricedCart(RefusalCode.None, [], [], 3_000, 300, 2_700, 2_700);
        var campaigns = Pipeline.BenchShop.Snapshot();
        var all = new DecisionInputs(work.Scorer, null, policy, campaigns) { Challengers = challengers };
        var decider = new Decider(new Catalogue(work.Model), TimeProvider.System);
        for (var i = 0; i < 100; i++)
        {
            var shadow = decider.Decide(request, entities, priced, work.Rows[i], 0, all).Risk.Shadow;
            if (shadow.Count != 2 || shadow[0].RawScore != challengers[0].RawScore(work.Rows[i]) || shadow[1].Fault is not null) throw new InvalidOperationException($"Row {i}: a challenger was not asked.");
        }

        long sink = 0;
        var alone = ScoringWorkload.MicrosecondsPerRow(work.Rows.Length, passes: 9, i => sink += decider.Decide(request, entities, priced, work.Rows[i], 0, all with { Challengers = [] }).Risk.Shadow.Count);
        var full = ScoringWorkload.MicrosecondsPerRow(work.Rows.Length, passes: 9, i => sink += decider.Decide(request, entities, priced, work.Rows[i], 0, all).Risk.Shadow.Count);
        GC.KeepAlive(sink);
        report.Cost("score.full", full, "µs", alone, $"champion and two challengers, from vector to proposal, beside the champion alone; {work.Shape}");
    }

    private static TreeScorer Learned(ScoringWorkload work, int seed)
    {
        var data = SyntheticData.Create(seed, rows: 20_000, ScoringWorkload.Features, missingShare: 0.1, abuseLogOdds: -1);
        var fitted = LightGbmLearner.Fit(data.Rows, ScoringWorkload.Features, new() { Trees = 200, Leaves = 31, LearningRate = 0.05, RowsPerLeafMin = 20 });
        return TreeScorer.Load(ModelFile.Write(work.Model with { Trees = fitted.Trees }));
    }

    private sealed class Catalogue(TreeModel model) : IFeatureCatalog
    {
        public int Count => model.Features.Length;
        public ulong LayoutHash => model.LayoutHash;
        public int IndexOf(string name) => Array.IndexOf(model.Features, name);
        public string NameOf(int index) => model.Features[index];
        public string Describe(int index, float value, string currency, AttemptEntities entities) => NameOf(index);
        public string? EntityOf(int index, AttemptEntities entities) => null;
    }
}
