using Promotions.Scoring;

namespace Promotions.Training.Tests;

public class TrainerTests
{
    private static readonly DataSet Data = SyntheticData.Create(seed: 9, rows: 3000, features: 8, missingShare: 0.05);
    private static readonly TrainingOptions Quick = new() { Trees = 30, Leaves = 15, Command = "promotions-ml train" };

    [Fact]
    public void The_same_rows_and_seed_give_the_same_bytes()
    {
        var options = Quick with { Parts = [[0, 1], [2]], LateRate = 0.02 };
        Assert.Equal(Trainer.Train(Data, options).File, Trainer.Train(Data, options).File);
        Assert.NotEqual(Trainer.Train(Data, options).File, Trainer.Train(Data, Quick).File);
    }

    [Fact]
    public void The_card_says_what_was_learned_from_and_measures_only_later_rows()
    {
        var trained = Trainer.Train(Data, Quick);
        var scorer = TreeScorer.Load(trained.File, Data.LayoutHash);
        var card = scorer.Model.Card!;
        Assert.Equal(2100, card.Rows);
        Assert.Equal(9, card.Seed);
        Assert.Equal(Data.Rows[0].At.ToDateTimeOffset(), card.PeriodFrom);
        Assert.Equal(450, card.Held!.Rows);
        Assert.True(card.PeriodTo <= card.Held.PeriodFrom, "held-out rows start before the learned ones end");
        Assert.InRange(card.Held.Auc, 0.75, 1);
        Assert.InRange(card.Held.CalibrationError, 0, 0.08);
        Assert.Equal(trained.Card.Held!.Auc, card.Held.Auc);
    }

    [Fact]
    public void The_reference_is_of_rows_that_nothing_was_learned_from_and_can_be_measured_again_on_others()
    {
        var trained = Trainer.Train(Data, Quick).File;
        var scorer = TreeScorer.Load(trained);
        DataSet later = Data with { Rows = [.. Data.Rows.Skip(2100)] };
        Assert.Equal((900L, later.Rows[0].At.ToDateTimeOffset()), (scorer.Reference!.Rows, scorer.Reference.PeriodFrom));
        Assert.Equal(Data.Features, scorer.Reference.Features.Keys);

        Assert.Equal(trained, ReferenceCommand.With(trained, later));
        var other = TreeScorer.Load(ReferenceCommand.With(trained, Data));
        Assert.Equal(3000, other.Reference!.Rows);
        Assert.Equal(scorer.RawScore(Data.Rows[7].Vector), other.RawScore(Data.Rows[7].Vector));
        Assert.Throws<ModelFileException>(() => ReferenceCommand.With(trained, Data with { LayoutHash = 1 }));
    }

    [Fact]
    public void The_order_of_rows_in_the_file_does_not_matter_only_their_times()
    {
        var shuffled = Data with { Rows = [.. Data.Rows.Reverse()] };
        Assert.Equal(Trainer.Train(Data, Quick).File, Trainer.Train(shuffled, Quick).File);
    }

    [Fact]
    public void Late_parts_go_missing_together_at_the_asked_rate_and_the_given_rows_stay()
    {
        DataSet whole = SyntheticData.Create(seed: 2, rows: 4000, features: 4, missingShare: 0);
        var masked = LatePartMask.Apply(whole.Rows, [[0, 2]], 0.1, seed: 3);
        Assert.All(whole.Rows, row => Assert.DoesNotContain(float.NaN, row.Vector));
        Assert.All(masked, row => Assert.Equal(float.IsNaN(row.Vector[0]), float.IsNaN(row.Vector[2])));
        Assert.All(masked, row => Assert.False(float.IsNaN(row.Vector[1]) || float.IsNaN(row.Vector[3])));
        Assert.InRange(masked.Count(row => float.IsNaN(row.Vector[0])), 340, 460);
    }

    [Fact]
    public void Rows_that_cannot_teach_are_refused_by_name()
    {
        Assert.Contains("no rows", Refused(Data with { Rows = [] }), StringComparison.Ordinal);
        Assert.Contains("0 are abuse", Refused(Data with { Rows = [.. Data.Rows.Select(row => row with { Abuse = false })] }), StringComparison.Ordinal);
        Assert.Contains("Row 1 has 3 values", Refused(Data with { Rows = [Data.Rows[0], Data.Rows[1] with { Vector = new float[3] }] }), StringComparison.Ordinal);
        Assert.Contains("Row 0 has the weight", Refused(Data with { Rows = [Data.Rows[0] with { Weight = float.NaN }] }), StringComparison.Ordinal);

        static string Refused(DataSet data) => Assert.Throws<InvalidDataException>(() => Trainer.Train(data, Quick)).Message;
    }

    [Fact]
    public void A_data_set_written_and_read_is_the_same_and_a_cut_one_is_refused()
    {
        using var stream = new MemoryStream();
        DataSetFile.Write(stream, Data);
        var bytes = stream.ToArray();
        var back = DataSetFile.Read(new MemoryStream(bytes));
        Assert.Equal(Data.LayoutHash, back.LayoutHash);
        Assert.Equal(Data.Features, back.Features);
        Assert.Equal(Data.Rows.Count, back.Rows.Count);
        for (var i = 0; i < back.Rows.Count; i++)
        {
            Assert.Equal(Data.Rows[i].Vector, back.Rows[i].Vector);
            Assert.Equal(Data.Rows[i] with { Vector = [] }, back.Rows[i] with { Vector = [] }, (a, b) => a.Abuse == b.Abuse && a.Weight == b.Weight && a.At == b.At);
        }
        Assert.Throws<InvalidDataException>(() => DataSetFile.Read(new MemoryStream(bytes[..(bytes.Length / 2)])));
        Assert.Throws<InvalidDataException>(() => DataSetFile.Read(new MemoryStream("no data set"u8.ToArray())));
    }
}
