using System.Text;
using Promotions.Analytics.Sink;
using Promotions.Domain;
using Promotions.Ledger;

namespace Promotions.Analytics.Tests;

public sealed class OutboxBatchesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(100_000)]
    public async Task Rows_are_the_same_bytes_whatever_is_asked_for_at_once(int buffer)
    {
        OutboxEvent[] rows =
        [
            new(1, new EventTime(1_700_000_000_000), "decision", "r-1", Encoding.UTF8.GetBytes("{}")),
            new(2, new EventTime(-1), "label", "", ReadOnlyMemory<byte>.Empty),
            new(long.MaxValue, new EventTime(0), new string('t', 200), "ключ-" + new string('ü', 300), Encoding.UTF8.GetBytes(new string('x', 20_000))),
        ];
        await using var stream = new OutboxRowStream(rows);
        var read = new MemoryStream();
        var part = new byte[buffer];
        for (int count; (count = await stream.ReadAsync(part, TestContext.Current.CancellationToken)) > 0;) read.Write(part.AsSpan(0, count));

        Assert.Equal(RowBinary(rows), read.ToArray());
    }

    /// <summary>The format as its definition says: numbers little-endian, text and bytes behind their length, which <see cref="BinaryWriter"/> writes the same way.</summary>
    private static byte[] RowBinary(OutboxEvent[] rows)
    {
        var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        foreach (var row in rows)
        {
            writer.Write(row.Position);
            writer.Write(row.At.UnixMilliseconds);
            writer.Write(row.Type);
            writer.Write(row.Key);
            writer.Write7BitEncodedInt(row.Payload.Length);
            writer.Write(row.Payload.Span);
        }

        writer.Flush();
        return bytes.ToArray();
    }

    [Fact]
    public async Task Batches_follow_each_other_without_gap_or_overlap_and_keep_both_bounds()
    {
        var ledger = OutboxSinkTests.History(2_000);
        foreach (var (rowsMax, bytesMax) in new[] { (1, long.MaxValue), (4_001, long.MaxValue), (100_000, 50_000L), (100_000, 1L), (100_000, long.MaxValue) })
        {
            var last = rowsMax == 1 || bytesMax == 1 ? 300 : ledger.LastOutboxPosition;
            var batches = new OutboxBatches(ledger, rowsMax, bytesMax);
            long position = 0;
            while (position < last)
            {
                var (rows, full) = await batches.ReadAsync(position);
                Assert.Equal(Enumerable.Range(0, rows.Count).Select(i => position + 1 + i), rows.Select(static row => row.Position));
                Assert.InRange(rows.Count, 1, rowsMax);
                if (rows.Count > 1) Assert.InRange(rows.Sum(static row => (long)row.Payload.Length), 0, bytesMax);
                position = rows[^1].Position;
                Assert.Equal(position < ledger.LastOutboxPosition || rows.Count == rowsMax, full);
                if (full) batches.ReadAhead(position);
            }
        }
    }

    [Fact]
    public async Task What_was_read_ahead_of_another_position_is_not_used()
    {
        var ledger = OutboxSinkTests.History(50);
        var batches = new OutboxBatches(ledger, rowsMax: 10, bytesMax: long.MaxValue);
        batches.ReadAhead(20);
        Assert.Equal(1, (await batches.ReadAsync(0)).Rows[0].Position);
        Assert.Equal(21, (await batches.ReadAsync(20)).Rows[0].Position);
        Assert.Equal(21, (await batches.ReadAsync(20)).Rows[0].Position);
    }

    [Fact]
    public void A_batch_written_down_is_read_as_it_was_whatever_the_bounds_are_now()
    {
        var ledger = OutboxSinkTests.History(1_000);
        Assert.True(ledger.LastOutboxPosition > 4_100);
        var batches = new OutboxBatches(ledger, rowsMax: 10, bytesMax: 10);
        Assert.Equal((11L, 4_100L, 4_090), (batches.ReadExactly(10, 4_100).Rows[0].Position, batches.ReadExactly(10, 4_100).Rows[^1].Position, batches.ReadExactly(10, 4_100).Rows.Count));
    }

    [Theory]
    //           took ms, pause ms
    [InlineData(       1,      999)]   // never closer than the linger
    [InlineData(      60,    1_940)]   // 60 ms are 3 % of two seconds
    [InlineData(   1_000,    4_000)]   // never further apart than the longest linger
    [InlineData(   6_000,        0)]
    public void A_dear_batch_is_followed_by_a_longer_pause(int tookMs, int pauseMs) =>
        Assert.Equal(TimeSpan.FromMilliseconds(pauseMs), new OutboxSinkOptions().PauseAfter(TimeSpan.FromMilliseconds(tookMs)));
}
