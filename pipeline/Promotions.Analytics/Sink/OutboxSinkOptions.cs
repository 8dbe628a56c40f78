namespace Promotions.Analytics.Sink;

/// <summary>How the outbox becomes inserts.</summary>
public sealed record OutboxSinkOptions
{
    /// <summary>Rows per insert at most. Unit: rows. Range: 1 to 100,000. Default 20,000.</summary>
    /// <remarks>Source: ClickHouse's bulk-insert guidance, 10,000 to 100,000 rows, about one insert a second.</remarks>
    public int RowsMax { get; init; } = 20_000;

    /// <summary>Payload bytes per insert at most; one larger row still goes alone. Default 32 MiB.</summary>
    public long BytesMax { get; init; } = 32L << 20;

    /// <summary>A batch that is not full waits until this long after the previous one. Default 1 s.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often an idle sink looks for new rows. Default 200 ms.</summary>
    public TimeSpan IdlePoll { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest pause between tries while ClickHouse is away; it starts at a 32nd of it. Default 8 s.</summary>
    public TimeSpan RetryMax { get; init; } = TimeSpan.FromSeconds(8);

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal OutboxSinkOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(RowsMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(RowsMax, 100_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(BytesMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Linger, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(IdlePoll, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(RetryMax, TimeSpan.Zero);
        return this;
    }
}
