namespace Promotions.Scoring.Tests;

public class ScorerTests
{
    private static TreeScorer Load(TreeModel model) => TreeScorer.Load(ModelFile.Write(model));

    [Theory]
    [InlineData(1, 3)]   // constants
    [InlineData(2, 50)]   // stumps
    [InlineData(31, 200)]
    [InlineData(32, 50)]   // the last that fits a 32-bit mask
    [InlineData(33, 50)]
    [InlineData(64, 50)]   // the last that fits a 64-bit mask
    [InlineData(90, 20)]   // walked
    [InlineData(4, 1500)]   // more trees than the stack takes
    public void Score_equals_a_plain_walk_bit_for_bit(int leavesMax, int trees)
    {
        var model = RandomModels.Model(seed: leavesMax, trees, leavesMax, features: 7);
        model.Trees[0] = RandomModels.Tree(new Random(1), leavesMax, 7);
        var scorer = Load(model);
        var random = new Random(5);
        for (var i = 0; i < 300; i++)
        {
            var row = RandomModels.Row(random, 7);
            double expected = 0;
            foreach (var tree in model.Trees) expected += tree.LeafValue[tree.LeafOf(row)];
            Assert.Equal(BitConverter.DoubleToInt64Bits(expected), BitConverter.DoubleToInt64Bits(scorer.RawScore(row)));
        }
    }

    [Fact]
    public void A_value_on_the_threshold_goes_left_and_the_next_float_right()
    {
        var scorer = Load(Of(new DecisionTree([0], [1.5f], [false], [-1], [-2], [10, 20], [1, 3])));
        Assert.Equal(10, scorer.RawScore([1.5f]));
        Assert.Equal(20, scorer.RawScore([MathF.BitIncrement(1.5f)]));
        Assert.Equal(20, scorer.RawScore([float.NaN]));
        Assert.Equal(17.5, scorer.ExpectedScore);
    }

    [Fact]
    public void A_vector_of_another_length_is_refused()
    {
        var scorer = Load(RandomModels.Model(1, 2, 8, 5));
        Assert.Throws<ArgumentException>(() => scorer.RawScore(new float[4]));
        Assert.Throws<ArgumentException>(() => scorer.Explain(new float[6], new double[5]));
        Assert.Throws<ArgumentException>(() => scorer.Explain(new float[5], new double[4]));
    }

    [Fact]
    public void Scoring_and_explaining_allocate_nothing()
    {
        var scorer = Load(RandomModels.Model(3, 100, 31, 20));
        var row = RandomModels.Row(new Random(1), 20);
        var contributions = new double[20];
        for (var warm = 0; warm < 3; warm++) Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Run();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Run()
        {
            scorer.Probability(scorer.RawScore(row));
            scorer.Explain(row, contributions);
        }
    }

    [Theory]
    [InlineData(-1000, 0)]
    [InlineData(0, 0.2)]
    [InlineData(0.5, 0.4)]
    [InlineData(1, 0.6)]
    [InlineData(3, 0.9)]
    [InlineData(double.PositiveInfinity, 0.9)]
    [InlineData(double.NaN, double.NaN)]
    public void Isotonic_calibration_draws_straight_lines_between_its_points(double raw, double probability) =>
        Assert.Equal(probability, Calibration.Isotonic([-1, 0, 1, 3], [0, 0.2, 0.6, 0.9]).Probability(raw), 12);

    [Fact]
    public void Platt_calibration_is_a_logistic_curve()
    {
        Assert.Equal(1 / (1 + Math.Exp(-1.5)), Calibration.Platt(2, -0.5).Probability(1), 15);
        Assert.Equal(0, Calibration.Platt(2, -0.5).Probability(-1e6));
        Assert.Equal(1, Calibration.Platt(2, -0.5).Probability(1e6));
        Assert.True(double.IsNaN(Calibration.None.Probability(double.NaN)));
    }

    internal static TreeModel Of(params DecisionTree[] trees) => new(7, ["only"], trees, Calibration.None, null);
}
