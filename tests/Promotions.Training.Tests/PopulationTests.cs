using Promotions.Domain;
using Promotions.Features;
using Promotions.Scoring;

namespace Promotions.Training.Tests;

/// <summary>What a note claims is true of the rows that it was computed from.</summary>
public class PopulationTests
{
    private static readonly DataSet Shop = ReplayDataSet.Create([5, 6], EventTime.From(new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero)), days: 3);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Each_bound_is_the_smallest_that_its_share_of_the_members_never_exceeded(bool named)
    {
        var rows = named ? Shop.Rows : [.. Shop.Rows.Select(row => row with { Entities = null })];
        var population = PopulationMeasure.Of(rows);
        Assert.Contains("device_accounts_24h", population.Features.Keys);
        Assert.Contains("request_discount_share", population.Features.Keys);
        Assert.DoesNotContain("customer_spend_30d", population.Features.Keys);
        foreach (var (name, measured) in population.Features)
        {
            var members = Members(rows, FeatureRegistry.Features[FeatureRegistry.IndexOf(name)], named);
            Assert.Equal(members.Count, measured.Members);
            for (var i = 0; i < measured.AtMost.Length; i++)
            {
                var (share, bound) = (population.Shares[i], measured.AtMost[i]);
                Assert.True(members.Count(values => values.All(v => v <= bound)) >= share * members.Count - 1e-6, $"{name}: fewer than {share} stay at or below {bound}.");
                Assert.False(members.Count(values => values.All(v => v < bound)) >= share * members.Count + 1e-6, $"{name}: {share} stay below {bound} already.");
            }
        }
    }

    /// <summary>All values that each member had, in the plainest way.</summary>
    private static List<List<float>> Members(IReadOnlyList<TrainingRow> rows, FeatureDefinition feature, bool named)
    {
        var kind = feature.Entity is EntityKind.None || !named ? -1 : Entities.Kinds.ToList().IndexOf(feature.Entity);
        return [.. rows.Select((row, i) => (Key: kind < 0 ? (ulong)i + 1 : row.Entities![kind], Value: row.Vector[feature.Index]))
            .Where(seen => seen.Key != 0 && !float.IsNaN(seen.Value))
            .GroupBy(seen => seen.Key).Select(group => group.Select(seen => seen.Value).ToList())];
    }

    [Fact]
    public void Too_few_members_say_nothing_about_a_thousandth()
    {
        var few = PopulationMeasure.Of([.. Shop.Rows.Take(99)]);
        Assert.All(few.Features.Values, feature => Assert.True(feature.AtMost.Length <= 2));
    }

    [Fact]
    public void What_is_only_known_as_at_least_is_no_bound()
    {
        var index = FeatureRegistry.IndexOf("network_accounts_1h");
        var rows = Enumerable.Range(0, 100).Select(i =>
        {
            var vector = new float[FeatureRegistry.Count];
            vector[index] = i < 60 ? 1 : FeatureRegistry.DistinctMax;
            return new TrainingRow(vector, false, 1, new(i));
        }).ToList();
        Assert.Equal([1f], PopulationMeasure.Of(rows).Features["network_accounts_1h"].AtMost);
    }

    [Fact]
    public void A_model_trained_on_rows_of_this_layout_carries_the_population_of_its_training_rows()
    {
        // Labels do not matter here, but both kinds are needed to learn at all.
        var labelled = Shop with { Rows = [.. Shop.Rows.Select((row, i) => row with { Abuse = i % 7 == 0 })] };
        var trained = TreeScorer.Load(Trainer.Train(labelled, new() { Trees = 3, Leaves = 4 }).File);
        var fit = Shop.Rows.OrderBy(row => row.At).Take((int)(Shop.Rows.Count * 0.7)).ToList();
        var expected = PopulationMeasure.Of(fit);
        Assert.Equal(expected.Shares, trained.Model.Population!.Shares);
        Assert.Equal(expected.Features.Select(f => (f.Key, f.Value.Member, f.Value.Members, string.Join(' ', f.Value.AtMost))),
            trained.Model.Population.Features.Select(f => (f.Key, f.Value.Member, f.Value.Members, string.Join(' ', f.Value.AtMost))));
        Assert.Null(TreeScorer.Load(Trainer.Train(SyntheticData.Create(seed: 9, rows: 3000, features: 8, missingShare: 0), new() { Trees = 3, Leaves = 4 }).File).Model.Population);
    }

    [Fact]
    public void A_data_set_keeps_the_entities_of_its_rows()
    {
        using var stream = new MemoryStream();
        DataSetFile.Write(stream, Shop);
        var back = DataSetFile.Read(new MemoryStream(stream.ToArray()));
        Assert.Equal(Shop.Rows.Select(row => row.Entities), back.Rows.Select(row => row.Entities));
        Assert.Contains(back.Rows, row => row.Entities![1] != 0);
        Assert.Throws<InvalidDataException>(() => (Shop with { Rows = [Shop.Rows[0], Shop.Rows[1] with { Entities = null }] }).Validate());
    }
}
