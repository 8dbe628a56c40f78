using Promotions.Kafka.Cluster;

namespace Promotions.Streams.Kafka.Tests;

/// <summary>What a process holds is set by its limits, and not by what it has seen.</summary>
public sealed class ProcessMemoryTests(KafkaServer server)
{
    private const int Chunk = 20_000;
    private const int Chunks = 14;

    /// <summary>After so many chunks its caches are full.</summary>
    private const int Warm = 3;

    /// <summary>Between two collections a process holds tens of megabytes more than after one: the least of so many chunks is told.</summary>
    private const int Least = 4;

    /// <summary>Four new entities an event: 60 bytes left behind for each would be 34 MB from the first such least to the last.</summary>
    private const long GrowthMax = 24L << 20;

    [Fact]
    public async Task A_process_that_meets_new_keys_for_ever_holds_no_more_memory_than_before()
    {
        var name = KafkaServer.NewName("memory");
        await server.Cluster.CreateTopicAsync(name + "in", 1);
        await using var process = VelocityProcess.Serve(server.Cluster, name, Directory.CreateTempSubdirectory(name).FullName, more: ["--blocks-mb", "2", "--writes-mb", "4"]);
        await Eventually.HoldsAsync(() => Task.FromResult(process.IsServing), () => process.Said);
        var held = new long[Chunks];
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            var first = chunk * Chunk;
            await server.Cluster.ProduceAsync(name + "in", Enumerable.Range(first, Chunk).Select(i => VelocityOracle.ToMessage(
                new($"r{i}", [$"c{i}", $"d{i}", $"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}", $"SAVE-{i}"], 500, 1_767_225_600_000 + (i * 1_000L)))));
            await Eventually.HoldsAsync(async () => (await server.Cluster.EndOffsetsAsync(name + "out")).Values.Sum() >= first + Chunk, () => process.Said);
            held[chunk] = process.ResidentBytes;
        }

        Assert.True(held[^Least..].Min() - held[Warm..(Warm + Least)].Min() < GrowthMax, $"It grew, in MB: {string.Join(' ', held.Select(bytes => bytes >> 20))}.");
    }
}
