using System.Collections.Concurrent;
using Promotions.Faults.Report;
using Promotions.Faults.Scenarios;
using Promotions.Faults.Set;

namespace Promotions.Faults.Tests;

/// <summary>The short form of <c>./deploy/faults kafka</c>: the same checker, on real servers.</summary>
public class ShortRunTests
{
    /// <summary>The scenarios that say most in the shortest time: a fail-over, a ledger that is away, and a race.</summary>
    private static readonly Scenario[] s_scenarios = [new KillPipeline(), new KillPostgres(), new SingleUseRace()];

    [Fact]
    public async Task Nothing_acknowledged_is_lost_or_doubled_when_a_pipeline_and_the_database_are_killed_and_it_would_be_noticed()
    {
        var progress = new ConcurrentQueue<string>();
        var logs = Directory.CreateTempSubdirectory("promotions-fault-logs-").FullName;
        var options = FaultOptions.Default with { Scenarios = s_scenarios, Minutes = 0, Brokers = 1, Races = 4, Pause = TimeSpan.FromSeconds(2), Callers = 8, Rate = 30, Artifacts = logs };
        await using (var set = await ScaledSet.StartAsync(options.Brokers, logs, progress.Enqueue, TestContext.Current.CancellationToken))
        {
            var run = new FaultRun(set, options, progress.Enqueue);
            await run.OpenShopAsync(TestContext.Current.CancellationToken);
            foreach (var scenario in s_scenarios)
            {
                var row = await run.RunAsync(scenario, TestContext.Current.CancellationToken);
                TestContext.Current.TestOutputHelper?.WriteLine(FaultReport.Line(row) + $"  {row.Took.TotalSeconds:0.0} s");
                Assert.True(row.Breaches.Count == 0, $"{FaultReport.Line(row)}\n{string.Join('\n', row.Breaches)}\n{string.Join('\n', progress)}\nlogs: {logs}");
                Assert.True(row.Acknowledged > 100, $"{scenario.Name} says little: only {row.Acknowledged} calls were acknowledged.");
            }

            // Would it have said so? Last, since the ledger is not sound any more.
            var tampering = new Tampering();
            var broken = await run.RunAsync(tampering, TestContext.Current.CancellationToken);
            TestContext.Current.TestOutputHelper?.WriteLine(FaultReport.Line(broken) + $"  {broken.Took.TotalSeconds:0.0} s");
            foreach (var id in (string[])[tampering.Forgotten, tampering.DecidedTwice, tampering.WithoutLeaf, tampering.Deposit])
                Assert.True(broken.Breaches.Any(breach => breach.What.Contains(id, StringComparison.Ordinal)), $"Nothing is said of {id}: {string.Join('\n', broken.Breaches)}");
            Assert.True(broken is { Lost: > 0, Changed: > 0, Doubled: > 0, IsSound: false }, $"{FaultReport.Line(broken)}\n{string.Join('\n', broken.Breaches)}");
        }

        Directory.Delete(logs, recursive: true);
    }
}
