namespace Promotions.ClickHouse.Engine;

/// <summary>An answer in the engine's memory; valid until disposed.</summary>
internal sealed unsafe class EngineResult : IDisposable
{
    private readonly LibChdb _library;
    private nint _result;

    internal EngineResult(LibChdb library, nint result)
    {
        _library = library;
        _result = result == 0 ? throw new InvalidOperationException("The engine returned no result at all.") : result;
        Error = library.Error(result);
    }

    /// <summary>A statement that failed before there was an answer.</summary>
    internal EngineResult(LibChdb library, string error) => (_library, Error) = (library, error);

    /// <summary>As ClickHouse words it, <c>Code: 62. DB::Exception: ...</c>; null when the statement succeeded.</summary>
    public string? Error { get; }
    public long Length => _library.Length(_result);
    public (ulong Rows, ulong Bytes) Read => _library.Read(_result);
    public (ulong Rows, ulong Bytes) Written => _library.Written(_result);

    public Stream OpenRead() => Length == 0 ? Stream.Null : new UnmanagedMemoryStream(_library.Start(_result), Length);

    public void Dispose()
    {
        if (_result == 0) return;
        _library.Destroy(_result);
        _result = 0;
    }
}
