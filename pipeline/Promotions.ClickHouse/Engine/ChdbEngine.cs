using System.Globalization;
using System.Text;

namespace Promotions.ClickHouse.Engine;

/// <summary>What one statement needs of the engine.</summary>
/// <param name="Text">SQL; for an insert with data, without its VALUES or FORMAT.</param>
/// <param name="Format">Of the answer where the statement names none; of the data for an insert.</param>
/// <param name="Data">An insert's; null for any other statement.</param>
/// <param name="Settings">Hold for this statement only.</param>
internal sealed record EngineStatement(
    ReadOnlyMemory<byte> Text, ReadOnlyMemory<byte>? Data, string Format, string? Database, bool ReadOnly,
    IReadOnlyList<KeyValuePair<string, string>> Settings, IReadOnlyList<KeyValuePair<string, string>> Parameters);

/// <summary>The ClickHouse engine inside this process: one statement at a time, each on a connection of its own, so that no setting outlives it.</summary>
/// <remarks>A connection to the running engine costs 0.2 ms; the first one boots it (0.1 s) and is kept for good.</remarks>
internal sealed unsafe class ChdbEngine
{
    private readonly LibChdb _library;
    private readonly EngineOptions _options;
    private readonly string[] _arguments;

    private ChdbEngine(LibChdb library, EngineOptions options)
    {
        _library = library;
        _options = options;
        _arguments = ["clickhouse", "--path=" + options.DataFolder];
    }

    public string Version { get; private set; } = "";

    /// <exception cref="EngineStartException">With a sentence that says what to do.</exception>
    public static ChdbEngine Start(EngineOptions options)
    {
        LibChdb library;
        try
        {
            library = LibChdb.Load(options.LibraryPath);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            throw new EngineStartException($"Cannot load the ClickHouse engine from '{options.LibraryPath}': {e.Message} Run deploy/lib/fetch-chdb, which prints the path to pass as --library.", e);
        }

        Directory.CreateDirectory(options.DataFolder);
        var engine = new ChdbEngine(library, options);
        using (SignalDispositions.Save())
        {
            library.LeaveSignalsAlone();
            if (library.Connect(engine._arguments) is null)
                throw new EngineStartException($"The ClickHouse engine did not open '{options.DataFolder}'. Is another process using that folder?");
        }

        engine.Version = engine.Scalar("SELECT version()");
        engine.Scalar("CREATE DATABASE IF NOT EXISTS default");
        return engine;
    }

    /// <summary>Blocks until done; the caller lets one in at a time.</summary>
    public EngineResult Execute(EngineStatement statement)
    {
        nint* connection;
        using (SignalDispositions.Save()) connection = _library.Connect(_arguments);
        if (connection is null) throw new InvalidOperationException("The engine refused a connection.");
        try
        {
            if (statement.Database is not null && Failed(connection, $"USE {Quote(statement.Database, '`')}") is { } noDatabase) return noDatabase;
            if (Failed(connection, Settings(statement)) is { } badSetting) return badSetting;
            var format = Encoding.UTF8.GetBytes(statement.Format);
            return statement.Data is { } data
                ? _library.Insert(connection, statement.Text.Span, format, data.Span, statement.Parameters)
                : _library.Query(connection, statement.Text.Span, format, statement.Parameters);
        }
        finally
        {
            _library.Close(connection);
        }
    }

    private string Settings(EngineStatement statement)
    {
        var set = new StringBuilder(256);
        set.Append(CultureInfo.InvariantCulture, $"SET max_memory_usage = {_options.MemoryBytesMax}, max_threads = {_options.ThreadsMax}, max_insert_threads = 1, ");
        set.Append(CultureInfo.InvariantCulture, $"max_execution_time = {_options.StatementSecondsMax}, async_insert = 0, max_bytes_ratio_before_external_group_by = 0.5, log_queries = 0");
        foreach (var (name, value) in statement.Settings)
            set.Append(", ").Append(name).Append(" = ").Append(Quote(value, '\''));
        if (statement.ReadOnly) set.Append(", readonly = 1");
        return set.ToString();
    }

    private EngineResult? Failed(nint* connection, string sql)
    {
        var result = _library.Query(connection, Encoding.UTF8.GetBytes(sql), "TSV"u8, []);
        if (result.Error is not null) return result;
        result.Dispose();
        return null;
    }

    private string Scalar(string sql)
    {
        using var result = Execute(new(Encoding.UTF8.GetBytes(sql), null, "TSVRaw", null, false, [], []));
        if (result.Error is not null) throw new EngineStartException($"The ClickHouse engine does not answer: {result.Error}");
        using var reader = new StreamReader(result.OpenRead());
        return reader.ReadToEnd().Trim();
    }

    private static string Quote(string text, char quote) =>
        quote + text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace(quote.ToString(), @"\" + quote, StringComparison.Ordinal) + quote;
}

/// <param name="LibraryPath">Of libchdb.so.</param>
/// <param name="DataFolder">Made when missing; one process at a time.</param>
/// <param name="MemoryBytesMax">Of one statement; statements run one at a time.</param>
/// <param name="ThreadsMax">Of one statement.</param>
/// <param name="StatementSecondsMax">A statement running longer is ended, so that the queue moves on.</param>
internal sealed record EngineOptions(string LibraryPath, string DataFolder, long MemoryBytesMax, int ThreadsMax, int StatementSecondsMax);

internal sealed class EngineStartException : Exception
{
    public EngineStartException() { }
    public EngineStartException(string message) : base(message) { }
    public EngineStartException(string message, Exception innerException) : base(message, innerException) { }
}
