using Promotions.Streams.State;

namespace Promotions.Streams.Embedded;

/// <summary>State as a fold over the log: brings stores from their checkpoint S to the log's end L with effects off, comparing recorded hashes.</summary>
internal sealed class LogFold(Topology topology, TopologyRuntime runtime, StateStores stores, IRecordLog log, IDriverObserver observer)
{
    private const int PageRecords = 4_096;

    /// <summary>The log position that the stores stand at, checkpointed or not.</summary>
    public long Position { get; private set; }

    /// <exception cref="ReplayMismatchException">A record gives another hash than recorded, or the state is ahead of the log.</exception>
    public void RebuildFromCheckpoint()
    {
        stores.RollBack();
        runtime.RestoreTimes();
        Position = stores.Position;
        var last = log.LastPosition;
        if (Position > last)
            throw new ReplayMismatchException($"State stands at position {Position}, but the log ends at {last}: the state belongs to another log. Remove the state folder; it is rebuilt from the log.");
        while (Position < last)
        {
            var page = log.Read(Position, PageRecords);
            if (page.Count == 0) throw new ReplayMismatchException($"The log ends at {last}, but gives nothing behind {Position}.");
            foreach (var entry in page) Replay(entry);
            observer.Replayed(Position, last);
        }
    }

    /// <summary>Folds a record that the log holds: a follow-up, or one of a replay. Its effects were committed with it. A topic that no source reads changes nothing.</summary>
    public void Fold(LogEntry entry)
    {
        if (!runtime.Reads(entry.Topic)) return;
        runtime.Process(new(entry.Topic, entry.Position), entry.Value.Span, entry.At, outputs: null);
        stores.Settle();
    }

    /// <summary>Live records were committed up to here.</summary>
    public void Committed(long lastPosition) => Position = lastPosition;

    private void Replay(LogEntry entry)
    {
        try
        {
            Fold(entry);
        }
        catch (Exception fault) when (fault is not StateFaultException)
        {
            throw new ReplayMismatchException($"Position {entry.Position} (topic {entry.Topic}, id '{entry.Id}') was processed once and now fails: {fault.Message} Intake stays closed.", fault);
        }

        if (entry.StateHash != 0 && runtime.Reads(entry.Topic) && entry.LayoutHash == stores.LayoutHash && entry.StateHash != runtime.StateHash)
            throw new ReplayMismatchException(
                $"Position {entry.Position} (topic {entry.Topic}, id '{entry.Id}'): state of {string.Join(", ", topology.Stores.Keys)} " +
                $"hashes to {runtime.StateHash:x16}, recorded is {entry.StateHash:x16}. Intake stays closed.");
        Position = entry.Position;
        if (stores.WantsCheckpoint) stores.Checkpoint(Position, runtime.StreamTime);
    }
}
