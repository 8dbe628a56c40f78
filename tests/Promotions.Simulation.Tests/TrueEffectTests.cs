using Promotions.Domain.Campaigns;

namespace Promotions.Simulation.Tests;

public sealed class TrueEffectTests
{
    private static readonly SimulationOptions s_world =
        SimulatedRetailerTests.Options(11, 2_000, 40) with { OnePerHousehold = true, SlackLimits = true, Scenarios = [], ControlShare = 5_000 };

    [Theory]
    [InlineData("season8")]
    [InlineData("comeback-1")]
    public void Two_worlds_of_the_same_customers_and_split_customers_of_others_agree(string campaign)
    {
        var truth = EffectTruth.Of(s_world, campaign, 8, TestContext.Current.CancellationToken);
        Assert.True(truth.Customers > 500, $"{truth}");

        // The other estimator: other populations, each divided by the engine's hash, treated against control.
        var treated = new List<double>();
        var control = new List<double>();
        for (ulong seed = 500; seed < 508; seed++)
        {
            var sales = CampaignSales.Measure(s_world with { Seed = seed }, campaign, Arm.None, out var arms);
            foreach (var (customer, amount) in sales) (arms[customer] is Arm.Treated ? treated : control).Add(amount);
        }

        var difference = treated.Average() - control.Average();
        var error = Math.Sqrt(Variance(treated) / treated.Count + Variance(control) / control.Count + truth.StandardError * truth.StandardError);
        Assert.InRange(control.Count / (double)(treated.Count + control.Count), 0.45, 0.55);
        Assert.True(Math.Abs(difference - truth.Difference) < 3.5 * error, $"split {difference:0} ± {error:0}, two worlds {truth}");
    }

    private static double Variance(List<double> values)
    {
        var mean = values.Average();
        return values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1);
    }
}
