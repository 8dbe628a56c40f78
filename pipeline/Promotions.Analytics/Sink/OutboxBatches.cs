using Promotions.Ledger;

namespace Promotions.Analytics.Sink;

/// <summary>The outbox in the sink's portions; the next one is read while the one before is inserted.</summary>
/// <remarks>Not thread-safe: one batch is asked for at a time.</remarks>
internal sealed class OutboxBatches(ILedgerReader ledger, int rowsMax, long bytesMax)
{
    // Rows of one read transaction: a long one would keep the ledger's write-ahead log from being taken back.
    private const int SliceRows = 4_000;

    private long _aheadOf = -1;
    private Task<Batch>? _ahead;

    /// <param name="Full">A bound ended it, so more rows wait most likely.</param>
    internal readonly record struct Batch(IReadOnlyList<OutboxEvent> Rows, bool Full);

    /// <summary>What lies after a position, up to the bounds; one row above the bound of bytes still comes, alone.</summary>
    public async Task<Batch> ReadAsync(long after)
    {
        if (_ahead is { } ahead && _aheadOf == after)
        {
            _ahead = null;
            return await ahead;
        }

        return Read(after);
    }

    /// <summary>Exactly these rows, whatever the bounds are now.</summary>
    public Batch ReadExactly(long after, long last)
    {
        var rows = new List<OutboxEvent>();
        while (after + rows.Count < last)
        {
            var slice = ledger.ReadOutbox(after + rows.Count, (int)Math.Min(SliceRows, last - after - rows.Count));
            if (slice.Count == 0) break;   // the caller compares the rows with the name that it wrote down
            rows.AddRange(slice);
        }

        return new(rows, Full: true);
    }

    /// <summary>Begins to read the next batch in the background.</summary>
    public void ReadAhead(long after)
    {
        _aheadOf = after;
        _ahead = Task.Run(() => Read(after));
    }

    private Batch Read(long after)
    {
        var rows = new List<OutboxEvent>();
        long bytes = 0;
        while (rows.Count < rowsMax)
        {
            var asked = Math.Min(SliceRows, rowsMax - rows.Count);
            var slice = ledger.ReadOutbox(after + rows.Count, asked);
            foreach (var row in slice)
            {
                if ((bytes += row.Payload.Length) > bytesMax && rows.Count > 0) return new(rows, Full: true);
                rows.Add(row);
            }

            if (slice.Count < asked) return new(rows, Full: false);
        }

        return new(rows, Full: true);
    }
}
