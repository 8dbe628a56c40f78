using System.Text;
using Confluent.Kafka;
using CsCheck;
using Promotions.Domain;
using Promotions.Kafka.Cluster;
using Promotions.Streams.Kafka.Transport;

namespace Promotions.Streams.Kafka.Tests;

/// <summary>What crosses a topic between two sub-topologies: repeated, reordered or broken, it changes nothing that it should not.</summary>
public sealed class HopTests(KafkaServer server)
{
    [Fact]
    public async Task Frames_that_come_again_and_in_another_order_are_counted_once()
    {
        var name = KafkaServer.NewName("repeat");
        var events = VelocityOracle.Events(1_200, seed: 21);
        await server.Cluster.CreateTopicAsync(name + "in", 1);
        await using var process = VelocityProcess.Serve(server.Cluster, name, Directory.CreateTempSubdirectory(name).FullName);
        await server.Cluster.ProduceAsync(name + "in", events.Take(800).Select(VelocityOracle.ToMessage));
        await Eventually.HoldsAsync(async () => process.IsServing && (await server.Cluster.EndOffsetsAsync(name + "out")).Values.Sum() == 800, () => process.Said);
        foreach (var hop in (string[])["observations", "partials"])
        {
            var topic = $"{name}g-{hop}-repartition";
            var frames = await server.Cluster.ReadAllAsync(topic);
            Assert.NotEmpty(frames);
            await server.Cluster.ProduceAsync(topic, frames.Reverse().Concat(frames).Select(f => new Message<byte[], byte[]> { Value = f.Message.Value }), partition: 0);
        }

        await server.Cluster.ProduceAsync(name + "in", events.Skip(800).Select(VelocityOracle.ToMessage));
        await Eventually.AnswersAreAsync(server.Cluster, name + "out", VelocityOracle.Answers(events), () => process.Said);
        Assert.Equal(events.Count, (await server.Cluster.EndOffsetsAsync(name + "out")).Values.Sum());
        await process.LeaveAsync();
    }

    [Fact]
    public async Task Poison_becomes_a_dead_letter_with_its_reason_and_the_rest_goes_on()
    {
        var name = KafkaServer.NewName("poison");
        var events = VelocityOracle.Events(600, seed: 22);
        await server.Cluster.CreateTopicAsync(name + "in", 1);
        await server.Cluster.CreateTopicAsync(name + "g-observations-repartition", 1);
        await using var process = VelocityProcess.Serve(server.Cluster, name, Directory.CreateTempSubdirectory(name).FullName);
        var before = (await LettersAsync()).Count;
        await server.Cluster.ProduceAsync(name + "in", events.Take(300).Select(VelocityOracle.ToMessage));
        await server.Cluster.ProduceAsync(name + "in", [new() { Key = "k"u8.ToArray(), Value = "{\"id\":"u8.ToArray(), Headers = [new Header("trace", "t1"u8.ToArray())] }]);
        await server.Cluster.ProduceAsync(name + "g-observations-repartition", [new() { Value = [9, 9, 9] }], partition: 0);
        await server.Cluster.ProduceAsync(name + "in", events.Skip(300).Select(VelocityOracle.ToMessage));
        await Eventually.AnswersAreAsync(server.Cluster, name + "out", VelocityOracle.Answers(events), () => process.Said);
        var letters = (await LettersAsync()).Skip(before).ToList();
        Assert.Equal(2, letters.Count);
        var text = letters.Single(l => l.Topic == name + "in");
        Assert.Equal(("k", "{\"id\":", 300L), (Encoding.UTF8.GetString(text.Key!), Encoding.UTF8.GetString(text.Value!), text.Offset));
        Assert.NotEmpty(text.Reason);
        Assert.Equal("t1", Encoding.UTF8.GetString(Assert.Single(text.Headers).Value));
        Assert.Contains("no frame", letters.Single(l => l != text).Reason, StringComparison.Ordinal);
        await process.LeaveAsync();

        async Task<List<KafkaLetter>> LettersAsync()
        {
            if (server.Cluster.Admin.GetMetadata(TimeSpan.FromSeconds(10)).Topics.TrueForAll(t => t.Topic != "dead-letters")) return [];
            return [.. (await server.Cluster.ReadAllAsync("dead-letters")).Select(r => KafkaLetter.FromMessage(r.Message)).Where(l => l.Topic.StartsWith(name, StringComparison.Ordinal))];
        }
    }

    [Fact]
    public void A_frame_reads_as_it_was_written_whatever_is_taken_back_in_between() =>
        Gen.Select(Gen.Long[0, 1L << 60], Gen.Byte.Array[0, 50], Gen.Byte.Array[0, 400], Gen.Bool).Array[0, 30].Sample(records =>
        {
            var writer = new FrameWriter(new(7, 300));
            foreach (var (position, key, value, stays) in records)
            {
                var before = writer.Length;
                writer.Begin(position, new(position / 2), key);
                value.CopyTo(writer.GetSpan(value.Length));
                writer.Advance(value.Length);
                writer.End();
                if (!stays) writer.TruncateTo(before);
            }

            var reader = new FrameReader(writer.Take());
            Assert.Equal((7u << 16) | 300u, reader.Upstream);
            foreach (var (position, key, value, _) in records.Where(r => r.Item4))
            {
                Assert.True(reader.Next());
                Assert.Equal((position, new EventTime(position / 2)), (reader.Position, reader.At));
                Assert.Equal(key, reader.Key.ToArray());
                Assert.Equal(value, reader.Value.ToArray());
            }

            Assert.False(reader.Next());
        });

    [Fact]
    public void A_frame_that_was_cut_is_refused_wherever_it_was_cut()
    {
        var writer = new FrameWriter(new(1, 2));
        writer.Begin(5, new(6), "key"u8);
        "value"u8.CopyTo(writer.GetSpan(5));
        writer.Advance(5);
        writer.End();
        var frame = writer.Take();
        for (var length = 0; length < frame.Length; length++)
        {
            if (length == FrameWriter.HeaderLength) continue;       // a frame of no records
            var cut = frame[..length];
            Assert.Throws<InvalidDataException>(() => new FrameReader(cut).Next());
        }
    }

    [Fact]
    public async Task Partitions_are_chosen_as_Kafkas_own_clients_choose_them()
    {
        var name = KafkaServer.NewName("partitions");
        await server.Cluster.CreateTopicAsync(name, 7);
        await server.Cluster.ProduceAsync(name, Enumerable.Range(0, 300).Select(i => new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(new string('x', i % 9) + i), Value = [1] }));
        var records = await server.Cluster.ReadAllAsync(name);
        Assert.Equal(300, records.Count);
        Assert.All(records, r => Assert.Equal(r.Partition.Value, Murmur2.PartitionOf(r.Message.Key, 7)));
    }
}
