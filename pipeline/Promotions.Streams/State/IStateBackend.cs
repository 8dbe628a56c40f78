namespace Promotions.Streams.State;

/// <summary>One partition of state: small absolute values under ordered keys, and the log position up to which they stand.</summary>
/// <remarks>
/// Owned by one thread, but for <see cref="IStateBatch.Commit"/>. Values are never deltas: the last one written under a key is the state. Keys are 1 to 255 bytes, values at most
/// <see cref="ValueBytesMax"/>, so that a changelog topic can carry them unchanged. Keys order as unsigned bytes.
/// </remarks>
public interface IStateBackend : IDisposable
{
    /// <summary>Unit: bytes.</summary>
    const int ValueBytesMax = 16 * 1024;

    /// <summary>The log position that the values stand at; 0 before the first commit and after <see cref="Clear"/>.</summary>
    long Position { get; }

    /// <summary>The layout under which the values were written; 0 when there are none.</summary>
    ulong LayoutHash { get; }

    /// <summary>Copies the value into <paramref name="destination"/>.</summary>
    /// <param name="destination">At least <see cref="ValueBytesMax"/> long.</param>
    /// <returns>The value's length; −1 when there is none.</returns>
    int Read(ReadOnlySpan<byte> key, Span<byte> destination);

    /// <summary>Visits up to <paramref name="max"/> values in key order, starting at <paramref name="from"/>, itself included.</summary>
    /// <returns>How many were visited: fewer than <paramref name="max"/> means that the end was reached.</returns>
    int Scan(ReadOnlySpan<byte> from, int max, StateVisitor visitor);

    /// <summary>Starts a batch. Nothing of it is visible before its commit, and nothing ever if it is disposed uncommitted.</summary>
    IStateBatch Begin();

    /// <summary>Forgets all values, the position and the layout. Durable when it returns.</summary>
    void Clear();
}

public delegate void StateVisitor(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

/// <summary>Changes that become visible, and survive a crash, together with their position or not at all. Applied in order.</summary>
public interface IStateBatch : IDisposable
{
    void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);
    void Delete(ReadOnlySpan<byte> key);

    /// <summary>Deletes every key that starts with <paramref name="prefix"/>, at constant cost where the backend can.</summary>
    void DeletePrefix(ReadOnlySpan<byte> prefix);

    /// <remarks>May run on another thread while the owner reads; what it reads then is the state before or after the batch.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The position goes back.</exception>
    void Commit(long position, ulong layoutHash);
}

/// <summary>State cannot be read: a fault of the disk, never of a record.</summary>
public sealed class StateFaultException : Exception
{
    public StateFaultException() { }
    public StateFaultException(string message) : base(message) { }
    public StateFaultException(string message, Exception innerException) : base(message, innerException) { }
}
