using Promotions.Kafka.Cluster;

namespace Promotions.Streams.Kafka.Tests;

/// <summary>The servers themselves fail.</summary>
public sealed class BrokerTests
{
    [Fact]
    public async Task A_server_that_is_killed_and_comes_back_costs_time_and_nothing_else()
    {
        await using var kafka = await KafkaCluster.StartAsync(1, "log.retention.ms=-1", "group.min.session.timeout.ms=500");
        var events = VelocityOracle.Events(900, seed: 31);
        await kafka.CreateTopicAsync("bin", 1);
        await using var process = VelocityProcess.Serve(kafka, "b", Directory.CreateTempSubdirectory("broker").FullName);
        await Eventually.HoldsAsync(() => Task.FromResult(process.IsServing), () => process.Said);
        await kafka.ProduceAsync("bin", events.Take(600).Select(VelocityOracle.ToMessage));
        await kafka.KillAsync();
        await kafka.RestartAsync();
        await kafka.ProduceAsync("bin", events.Skip(600).Select(VelocityOracle.ToMessage));
        await Eventually.AnswersAreAsync(kafka, "bout", VelocityOracle.Answers(events), () => string.Join('\n', process.Said.Split('\n').Where(l => !l.Contains("refused", StringComparison.Ordinal)).TakeLast(30)));
        Assert.False(process.HasExited);
        await process.LeaveAsync();
    }
}
