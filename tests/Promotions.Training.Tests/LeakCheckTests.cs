namespace Promotions.Training.Tests;

public class LeakCheckTests
{
    private static readonly DataSet Data = SyntheticData.Create(seed: 5, rows: 2_000, features: 6, missingShare: 0.05);

    [Fact]
    public void A_feature_made_of_the_label_is_named_and_not_learned_from()
    {
        var leaking = With(Data, row => row.Abuse ? 2.5f : 1);
        var suspect = Assert.Single(LeakCheck.Suspects(leaking.Rows, leaking.Features));
        Assert.Equal(("f4", 1.0), (suspect.Feature, suspect.Auc));
        var refused = Assert.Throws<InvalidDataException>(() => Trainer.Train(leaking, new() { Trees = 5 }));
        Assert.Contains("'f4' alone has an AUC of 1.0000", refused.Message, StringComparison.Ordinal);
        Assert.NotNull(Trainer.Train(leaking, new() { Trees = 5, Accepted = ["f4"] }).Card);
    }

    [Fact]
    public void A_feature_that_is_filled_in_only_for_abuse_leaks_by_being_there()
    {
        var leaking = With(Data, row => row.Abuse ? float.MaxNumber(0, row.Vector[4]) : float.NaN);
        Assert.Equal("f4", Assert.Single(LeakCheck.Suspects(leaking.Rows, leaking.Features)).Feature);
    }

    [Fact]
    public void Ordinary_features_are_not_suspected_and_few_rows_say_nothing()
    {
        Assert.Empty(LeakCheck.Suspects(Data.Rows, Data.Features));
        var few = With(Data, row => row.Abuse ? 1 : 0).Rows;
        Assert.Empty(LeakCheck.Suspects([.. few.Where(row => row.Abuse).Take(29), .. few.Where(row => !row.Abuse)], Data.Features));
    }

    [Fact]
    public void A_repeated_row_is_said_with_its_place()
    {
        var repeated = Data with { Rows = [.. Data.Rows, Data.Rows[7]] };
        Assert.Contains("Row 2000 repeats row 7", Assert.Throws<InvalidDataException>(repeated.Validate).Message, StringComparison.Ordinal);
    }

    private static DataSet With(DataSet data, Func<TrainingRow, float> fourth) => data with
    {
        Rows = [.. data.Rows.Select(row => row with { Vector = [.. row.Vector.Select((value, f) => f == 4 ? fourth(row) : value)] })],
    };
}
