using Promotions.Features;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;

namespace Promotions.Processing.Embedded;

/// <summary>Folds (S, L] of the log into feature state with effects off, comparing vectors with the recorded hashes.</summary>
public static class LogReplay
{
    private const int PageRecords = 4_096;

    /// <exception cref="ReplayMismatchException">State and log disagree: deciding on it would be deciding on something else than was recorded.</exception>
    /// <param name="layoutSince">Records up to this position were hashed under an earlier layout: they are folded, not compared.</param>
    public static void CatchUp(ILedgerReader reader, IFeatureFold features, IPipelineObserver observer, long layoutSince)
    {
        var last = reader.LastLogPosition;
        if (features.CheckpointPosition > last)
            throw new ReplayMismatchException($"Feature state stands at position {features.CheckpointPosition}, but the log ends at {last}: the state belongs to another ledger. Remove the feature state; it is rebuilt from the log.");
        var vector = new float[features.VectorLength];
        for (var position = features.CheckpointPosition; position < last;)
        {
            var page = reader.ReadLog(position, PageRecords);
            if (page.Count == 0) break;
            foreach (var record in page) Apply(record, features, vector, layoutSince);
            position = page[^1].Position;
            observer.Replayed(position, last);
            if (features.WantsCheckpoint) features.Checkpoint(position);
        }
    }

    private static void Apply(LogRecord record, IFeatureFold features, float[] vector, long layoutSince)
    {
        if (record.Topic != Topics.Requests)
        {
            FeedbackFold.Apply(features, FeedbackFold.Decode(record.Topic, record.Value.Span));
            return;
        }

        var (request, entities) = ObservedRequest.Decode(record.Value.Span);
        features.Observe(request, entities, vector);
        var hash = FeatureVector.Hash(vector);
        if (record.StateHash != hash && record.Position > layoutSince)
            throw new ReplayMismatchException($"Position {record.Position}, redemption '{request.Id}': the recomputed vector hashes to {hash:x16}, recorded is {record.StateHash:x16}. Intake stays closed.");
    }
}

/// <summary>Replay gave another vector than the one recorded.</summary>
public sealed class ReplayMismatchException : Exception
{
    public ReplayMismatchException() { }
    public ReplayMismatchException(string message) : base(message) { }
    public ReplayMismatchException(string message, Exception innerException) : base(message, innerException) { }
}
