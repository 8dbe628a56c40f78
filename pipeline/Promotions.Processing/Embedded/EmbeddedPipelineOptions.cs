namespace Promotions.Processing.Embedded;

/// <summary>Bounds of the embedded pipeline.</summary>
/// <param name="QueueMax">Requests that may wait; beyond it callers wait. Unit: requests. Default 4,096.</param>
/// <param name="BatchMax">Requests committed together. Unit: requests. Default 256: at 100 µs each, half of the 50 ms that a caller may wait.</param>
/// <param name="CheckpointEvery">Time between checkpoints of feature state: what a restart replays. Default 5 s.</param>
/// <param name="LayoutSince">Log position up to which vectors were recorded under an earlier feature layout; 0 when there was none.</param>
public sealed record EmbeddedPipelineOptions(int QueueMax, int BatchMax, TimeSpan CheckpointEvery, long LayoutSince = 0)
{
    public static readonly EmbeddedPipelineOptions Default = new(4_096, 256, TimeSpan.FromSeconds(5));
}
