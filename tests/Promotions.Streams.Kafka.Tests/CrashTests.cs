using Promotions.Kafka.Cluster;
using Promotions.Streams.Kafka.Tests;

[assembly: AssemblyFixture(typeof(KafkaServer))]

namespace Promotions.Streams.Kafka.Tests;

/// <summary>kill -9 between any two writes of a commit: every event counts once, none is missing. On one partition, so that the order is one, and answers are the oracle's to the digit.</summary>
public sealed class CrashTests(KafkaServer server)
{
    [Theory]
    [InlineData("in_transaction:3")]
    [InlineData("after_changelog:3")]
    [InlineData("after_offsets:3")]
    [InlineData("after_transaction:3")]
    [InlineData("in_checkpoint:8")]
    [InlineData("after_checkpoint:3")]
    public async Task A_process_that_dies_within_a_commit_leaves_every_event_counted_once(string crashAt)
    {
        var name = KafkaServer.NewName("crash");
        var state = Directory.CreateTempSubdirectory(name).FullName;
        var events = VelocityOracle.Events(3_000, seed: 7);
        await server.Cluster.CreateTopicAsync(name + "in", 1);
        await using (var doomed = VelocityProcess.Serve(server.Cluster, name, state, crashAt: crashAt))
        {
            await Eventually.HoldsAsync(() => Task.FromResult(doomed.IsServing), () => doomed.Said);
            // A little at a time, so that there are commits to die in.
            foreach (var some in events.Chunk(150))
            {
                await server.Cluster.ProduceAsync(name + "in", some.Select(VelocityOracle.ToMessage));
                var written = (await server.Cluster.EndOffsetsAsync(name + "in"))[0];
                await Eventually.HoldsAsync(async () => doomed.HasExited || (await server.Cluster.EndOffsetsAsync(name + "out")).Values.Sum() >= written, () => doomed.Said);
                if (doomed.HasExited) break;
                await Task.Delay(120);      // the interval of a commit
            }

            await doomed.WaitForExitAsync(Eventually.Long);
        }

        var sent = (int)(await server.Cluster.EndOffsetsAsync(name + "in"))[0];
        await server.Cluster.ProduceAsync(name + "in", events.Skip(sent).Select(VelocityOracle.ToMessage));
        await using var heir = VelocityProcess.Serve(server.Cluster, name, state);
        await Eventually.AnswersAreAsync(server.Cluster, name + "out", VelocityOracle.Answers(events), () => heir.Said);
        await heir.LeaveAsync();
    }
}
