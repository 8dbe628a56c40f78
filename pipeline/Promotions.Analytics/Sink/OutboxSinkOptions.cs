namespace Promotions.Analytics.Sink;

/// <summary>How the outbox becomes inserts.</summary>
public sealed record OutboxSinkOptions
{
    /// <summary>Rows per batch at most: what a sink that is behind sends at once. Unit: rows. Range: 1 to 100,000. Default 100,000.</summary>
    /// <remarks>Source: ClickHouse's bulk-insert guidance, 10,000 to 100,000 rows. A batch costs the engine about 130 ms of processor time
    /// however few its rows are, and 5 µs a row: 100,000 rows at once are twice as fast as 20,000.</remarks>
    public int RowsMax { get; init; } = 100_000;

    /// <summary>Payload bytes per batch at most; one larger row still goes alone. Default 32 MiB.</summary>
    public long BytesMax { get; init; } = 32L << 20;

    /// <summary>The shortest time from one batch that is not full to the next. Default 1 s.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest one: results are behind by no more than this and the batch itself. Default 5 s.</summary>
    public TimeSpan LingerMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The share of time in which batches that are not full may keep ClickHouse busy. Range: above 0 to 1. Default 0.03.</summary>
    /// <remarks>The embedded engine shares its cores with decisions. Within <see cref="Linger"/> and <see cref="LingerMax"/>, a batch that took
    /// long is followed by a longer pause, and what waits goes in one batch.</remarks>
    public double BusyShare { get; init; } = 0.03;

    /// <summary>How often an idle sink looks for new rows. Default 200 ms.</summary>
    public TimeSpan IdlePoll { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest pause between tries while ClickHouse is away; it starts at a 32nd of it. Default 8 s.</summary>
    public TimeSpan RetryMax { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>How long to wait after a batch that was not full.</summary>
    internal TimeSpan PauseAfter(TimeSpan took)
    {
        var apart = TimeSpan.FromTicks(Math.Clamp((long)(took.Ticks / BusyShare), Linger.Ticks, LingerMax.Ticks));
        return apart > took ? apart - took : TimeSpan.Zero;
    }

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal OutboxSinkOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(RowsMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(RowsMax, 100_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(BytesMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Linger, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(LingerMax, Linger);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(BusyShare, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BusyShare, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(IdlePoll, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(RetryMax, TimeSpan.Zero);
        return this;
    }
}
