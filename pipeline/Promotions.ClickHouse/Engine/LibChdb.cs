using System.Runtime.InteropServices;

namespace Promotions.ClickHouse.Engine;

/// <summary>The part of <c>libchdb.so</c>'s C interface that we call. Loaded by path, since nothing installs it.</summary>
internal sealed unsafe class LibChdb
{
    private readonly delegate* unmanaged[Cdecl]<int, byte**, nint*> _connect;
    private readonly delegate* unmanaged[Cdecl]<nint*, void> _close;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, byte**, nuint*, byte**, nuint*, nuint, nint> _query;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, byte**, nuint*, byte**, nuint*, nuint, nint> _insert;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nuint, int> _append;
    private readonly delegate* unmanaged[Cdecl]<nint, nint> _done;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*> _insertError;
    private readonly delegate* unmanaged[Cdecl]<nint, void> _destroyInsert;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*> _buffer;
    private readonly delegate* unmanaged[Cdecl]<nint, nuint> _length;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*> _error;
    private readonly delegate* unmanaged[Cdecl]<nint, ulong> _rowsRead;
    private readonly delegate* unmanaged[Cdecl]<nint, ulong> _bytesRead;
    private readonly delegate* unmanaged[Cdecl]<nint, ulong> _rowsWritten;
    private readonly delegate* unmanaged[Cdecl]<nint, ulong> _bytesWritten;
    private readonly delegate* unmanaged[Cdecl]<nint, void> _destroy;
    private readonly delegate* unmanaged[Cdecl]<int, void> _signalHandlers;

    private LibChdb(nint library)
    {
        _connect = (delegate* unmanaged[Cdecl]<int, byte**, nint*>)NativeLibrary.GetExport(library, "chdb_connect");
        _close = (delegate* unmanaged[Cdecl]<nint*, void>)NativeLibrary.GetExport(library, "chdb_close_conn");
        _query = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, byte**, nuint*, byte**, nuint*, nuint, nint>)
            NativeLibrary.GetExport(library, "chdb_query_with_params_n");
        _insert = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, byte**, nuint*, byte**, nuint*, nuint, nint>)
            NativeLibrary.GetExport(library, "chdb_stream_insert_with_params_n");
        _append = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, int>)NativeLibrary.GetExport(library, "chdb_stream_append");
        _done = (delegate* unmanaged[Cdecl]<nint, nint>)NativeLibrary.GetExport(library, "chdb_stream_done");
        _insertError = (delegate* unmanaged[Cdecl]<nint, byte*>)NativeLibrary.GetExport(library, "chdb_stream_insert_error");
        _destroyInsert = (delegate* unmanaged[Cdecl]<nint, void>)NativeLibrary.GetExport(library, "chdb_destroy_insert_stream");
        _buffer = (delegate* unmanaged[Cdecl]<nint, byte*>)NativeLibrary.GetExport(library, "chdb_result_buffer");
        _length = (delegate* unmanaged[Cdecl]<nint, nuint>)NativeLibrary.GetExport(library, "chdb_result_length");
        _error = (delegate* unmanaged[Cdecl]<nint, byte*>)NativeLibrary.GetExport(library, "chdb_result_error");
        _rowsRead = (delegate* unmanaged[Cdecl]<nint, ulong>)NativeLibrary.GetExport(library, "chdb_result_rows_read");
        _bytesRead = (delegate* unmanaged[Cdecl]<nint, ulong>)NativeLibrary.GetExport(library, "chdb_result_bytes_read");
        _rowsWritten = (delegate* unmanaged[Cdecl]<nint, ulong>)NativeLibrary.GetExport(library, "chdb_result_rows_written");
        _bytesWritten = (delegate* unmanaged[Cdecl]<nint, ulong>)NativeLibrary.GetExport(library, "chdb_result_bytes_written");
        _destroy = (delegate* unmanaged[Cdecl]<nint, void>)NativeLibrary.GetExport(library, "chdb_destroy_query_result");
        _signalHandlers = (delegate* unmanaged[Cdecl]<int, void>)NativeLibrary.GetExport(library, "chdb_set_signal_handlers_enabled");
    }

    /// <exception cref="DllNotFoundException">No library there, or not one for this machine.</exception>
    /// <exception cref="EntryPointNotFoundException">An older or foreign library.</exception>
    public static LibChdb Load(string path) => new(NativeLibrary.Load(path));

    /// <summary>The engine resets the runtime's own handlers when told to leave signals alone, and again when it connects:
    /// <see cref="SignalDispositions"/> must be held around both.</summary>
    public void LeaveSignalsAlone() => _signalHandlers(0);

    /// <returns>A handle to close, or null.</returns>
    public nint* Connect(IReadOnlyList<string> arguments)
    {
        var pointers = new nint[arguments.Count];
        try
        {
            for (var i = 0; i < pointers.Length; i++) pointers[i] = Marshal.StringToCoTaskMemUTF8(arguments[i]);
            fixed (nint* argv = pointers) return _connect(pointers.Length, (byte**)argv);
        }
        finally
        {
            foreach (var pointer in pointers) Marshal.FreeCoTaskMem(pointer);
        }
    }

    public void Close(nint* connection) => _close(connection);

    /// <summary>Blocks until the statement is done. Parameters bind <c>{name:Type}</c> and never enter the text.</summary>
    public EngineResult Query(nint* connection, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> format, IReadOnlyList<KeyValuePair<string, string>> parameters) =>
        new(this, Bound(_query, connection, statement, format, parameters));

    /// <summary>An insert with its data apart. Data behind the statement's text would be cut at the first empty line, as in a file of statements:
    /// in RowBinary the number 2570 is one.</summary>
    /// <param name="statement">Without VALUES or FORMAT.</param>
    public EngineResult Insert(
        nint* connection, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> format, ReadOnlySpan<byte> data, IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var stream = Bound(_insert, connection, statement, format, parameters);
        try
        {
            if (Marshal.PtrToStringUTF8((nint)_insertError(stream)) is { Length: > 0 } refused) return new EngineResult(this, refused);
            // A failure on the way is told by the end.
            fixed (byte* start = data)
                if (data.Length > 0) _append(stream, start, (nuint)data.Length);
            return new EngineResult(this, _done(stream));
        }
        finally
        {
            _destroyInsert(stream);
        }
    }

    private static nint Bound(
        delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, byte**, nuint*, byte**, nuint*, nuint, nint> call,
        nint* connection, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> format, IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var count = parameters.Count;
        var pointers = new nint[2 * count];
        var lengths = new nuint[2 * count];
        try
        {
            for (var i = 0; i < count; i++)
            {
                (pointers[i], lengths[i]) = Utf8(parameters[i].Key);
                (pointers[count + i], lengths[count + i]) = Utf8(parameters[i].Value);
            }

            fixed (byte* statementStart = statement, formatStart = format)
            fixed (nint* texts = pointers)
            fixed (nuint* textLengths = lengths)
                return call(*connection, statementStart, (nuint)statement.Length, formatStart, (nuint)format.Length,
                    (byte**)texts, textLengths, (byte**)(texts + count), textLengths + count, (nuint)count);
        }
        finally
        {
            foreach (var pointer in pointers) Marshal.FreeCoTaskMem(pointer);
        }
    }

    internal string? Error(nint result) => Marshal.PtrToStringUTF8((nint)_error(result));
    internal byte* Start(nint result) => _buffer(result);
    internal long Length(nint result) => checked((long)_length(result));
    internal (ulong Rows, ulong Bytes) Read(nint result) => (_rowsRead(result), _bytesRead(result));
    internal (ulong Rows, ulong Bytes) Written(nint result) => (_rowsWritten(result), _bytesWritten(result));
    internal void Destroy(nint result) => _destroy(result);

    private static (nint, nuint) Utf8(string text) => (Marshal.StringToCoTaskMemUTF8(text), (nuint)System.Text.Encoding.UTF8.GetByteCount(text));
}
