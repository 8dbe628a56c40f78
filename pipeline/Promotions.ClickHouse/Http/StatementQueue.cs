namespace Promotions.ClickHouse.Http;

/// <summary>Statements run one at a time, in order of arrival; the wait is bounded by number.</summary>
internal sealed class StatementQueue(int waitingMax) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private int _inside;

    /// <returns>Dispose it to let the next one in.</returns>
    /// <exception cref="QueueFullException">Too many wait already.</exception>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _inside) > waitingMax + 1)
        {
            Interlocked.Decrement(ref _inside);
            throw new QueueFullException($"{waitingMax} statements wait already. Try again later.");
        }

        try
        {
            await _turn.WaitAsync(cancellationToken);
        }
        catch
        {
            Interlocked.Decrement(ref _inside);
            throw;
        }

        return new Turn(this);
    }

    public void Dispose() => _turn.Dispose();

    private sealed class Turn(StatementQueue queue) : IDisposable
    {
        public void Dispose()
        {
            Interlocked.Decrement(ref queue._inside);
            queue._turn.Release();
        }
    }
}

internal sealed class QueueFullException : Exception
{
    public QueueFullException() { }
    public QueueFullException(string message) : base(message) { }
    public QueueFullException(string message, Exception innerException) : base(message, innerException) { }
}
