using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Ledger.Sqlite;
using Promotions.Processing.Statistics;
using Promotions.Simulation;

namespace Promotions.Server.Tests;

/// <summary>The shop that the first start opens: loaded whole even when it is interrupted, and worth looking at for days.</summary>
public class DemoShopTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("in_demo_load:900")]
    [InlineData("after_commit:7")]
    public async Task A_first_load_that_was_killed_goes_on_at_the_next_start(string crashAt)
    {
        var data = Directory.CreateTempSubdirectory("promotions-demo-").FullName;
        var environment = new Dictionary<string, string> { ["PROMOTIONS_DEMO_DAYS"] = "2" };
        string[] arguments = ["--no-analytics", "--rate", "0"];
        try
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => RunningServer.StartAsync(data, crashAt, environment, arguments));
            var mark = Path.Combine(data, "demo-loading");
            var until = DateTimeOffset.Parse(await File.ReadAllTextAsync(mark, TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);

            await using (var server = await RunningServer.StartAsync(data, environment: environment, arguments: arguments))
            {
                Assert.Contains("going on with the demonstration's past", server.Output, StringComparison.Ordinal);
                Assert.Equal(0, await server.StopAsync());
            }

            Assert.False(File.Exists(mark));
            await using (var ledger = SqliteLedger.Open(new() { Path = Path.Combine(data, "ledger", "ledger.db") }, TimeProvider.System))
            {
                var decided = ledger.Reader.LatestDecisions(100_000).Select(decision => decision.DecidedAt.ToDateTimeOffset()).ToArray();
                Assert.True(decided.Length > 60, $"{decided.Length} decisions in two days.");
                Assert.InRange(decided[0], until.AddHours(-12), until);                 // up to its end, nights are quiet, and nothing of it later
                Assert.True(decided[^1] < until.AddDays(-1), $"The first is of {decided[^1]:O}, the past ends at {until:O}, {decided.Length} decisions.");
                Assert.Equal(EventTime.From(until).ToString(), ledger.Find("demo", "loaded_until"));
            }

            await TestShop.AssertVerifiedAsync(data);
            await using var third = await RunningServer.StartAsync(data, environment: environment, arguments: arguments);
            Assert.DoesNotContain("demonstration's past", third.Output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task A_live_week_keeps_its_mix_and_most_of_its_budget()
    {
        const double rate = 0.01;       // the mix does not depend on it: people and budgets grow with it
        var folder = Directory.CreateTempSubdirectory("promotions-week-").FullName;
        try
        {
            var clock = new SteerableClock(TimeProvider.System);
            var now = EventTime.From(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));
            var options = new ServerOptions(folder, System.Net.IPAddress.Loopback, 0, true, rate, 60, false, null, null, 0);
            var simulation = DemoShop.Simulation(options, now) with { Customers = 2_000 };
            clock.Steer(simulation.Start.ToDateTimeOffset());
            await using var system = DecisionSystem.Open(
                DataFolder.Open(folder), new PipelineObserver(new LiveStatistics(clock), NullLogger.Instance), clock, NullLogger.Instance, DemoShop.HoldFor);
            var retailer = new SimulatedRetailer(simulation);
            var days = new Dictionary<long, Dictionary<string, int>>();
            var live = false;
            var feeder = new SimulationFeeder(retailer, system.Gateway, system.Ledger)
            {
                Decided = (attempt, outcome) =>
                {
                    if (!live || attempt.Request.Kind is not AttemptKind.Redemption) return;
                    var decision = outcome.Decision!;
                    var day = days.TryGetValue((attempt.At.UnixMilliseconds - now.UnixMilliseconds) / 86_400_000, out var known) ? known : days[(attempt.At.UnixMilliseconds - now.UnixMilliseconds) / 86_400_000] = [];
                    foreach (var what in (string[])[decision.Status.ToString(), $"  {decision.Refusal}"])
                        if (what.Trim() is not nameof(RefusalCode.None)) day[what] = day.GetValueOrDefault(what) + 1;
                },
            };
            while (await feeder.StepAsync(TestContext.Current.CancellationToken) is { } sent) clock.Steer(sent.At.ToDateTimeOffset());
            var spentBefore = Spent(system);
            live = true;
            retailer.GoLive(now, rate);
            var end = now.Plus(TimeSpan.FromDays(7));
            while (retailer.PeekTime() < end && await feeder.StepAsync(TestContext.Current.CancellationToken) is { } sent) clock.Steer(sent.At.ToDateTimeOffset());
            await feeder.DrainAsync();

            var week = days.Values.SelectMany(day => day).GroupBy(one => one.Key).ToDictionary(group => group.Key, group => group.Sum(one => one.Value));
            var all = week.Where(one => !one.Key.StartsWith(' ')).Sum(one => one.Value);
            foreach (var (what, count) in week.OrderBy(one => one.Key.StartsWith(' ')).ThenByDescending(one => one.Value))
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-26} {count,6} {100.0 * count / all,5:0.0} %"));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"season's budget: {spentBefore:P1} spent by the past, {Spent(system):P1} after the week"));

            Assert.InRange(Share("Approved"), 0.60, 0.75);
            Assert.InRange(Share("Review"), 0.003, 0.10);
            Assert.InRange(Share("Blocked"), 0.005, 0.15);
            Assert.InRange(Share("Rejected"), 0.15, 0.38);
            Assert.Equal(0, week.GetValueOrDefault("  " + nameof(RefusalCode.BudgetExhausted)));
            Assert.InRange(Spent(system), 0, 0.25);          // so it lasts for weeks
            for (var day = 0; day < 7; day++) Assert.InRange(days[day]["Approved"] / (double)days[day].Where(one => !one.Key.StartsWith(' ')).Sum(one => one.Value), 0.5, 0.85);

            double Share(string status) => week.GetValueOrDefault(status) / (double)all;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <returns>Share of the season campaign's budget.</returns>
    private static double Spent(DecisionSystem system)
    {
        var usage = system.Ledger.Reader.UsageOf("season8");
        return (usage.DiscountHeld + usage.DiscountCaptured) / (double)system.Ledger.Campaigns.FindCampaign("season8")!.Limits.BudgetMinorUnits!.Value;
    }
}
