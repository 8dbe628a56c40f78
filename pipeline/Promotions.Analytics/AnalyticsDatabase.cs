using System.Net.Sockets;
using ClickHouse.Driver;
using ClickHouse.Driver.ADO;
using ClickHouse.Driver.ADO.Parameters;
using ClickHouse.Driver.ADO.Readers;
using ClickHouse.Driver.Utility;
using Promotions.Analytics.Results;

namespace Promotions.Analytics;

/// <summary>Where ClickHouse is: the embedded one or a server; the client is the same.</summary>
/// <param name="Database">Made by the migrations; holds nothing but what the ledger's outbox can refill.</param>
public sealed record AnalyticsAddress(string Host, int Port, string Username = "default", string Password = "", string Database = "promotions", string Protocol = "http");

/// <summary>Statements against the analytics database, with ClickHouse's silence told apart from its refusals.</summary>
public sealed class AnalyticsDatabase : IDisposable
{
    private readonly ClickHouseClient _client;

    public AnalyticsDatabase(AnalyticsAddress address, TimeSpan? timeout = null)
    {
        Name = Identifier(address.Database);
        _client = new ClickHouseClient(new ClickHouseClientSettings
        {
            Host = address.Host,
            Port = checked((ushort)address.Port),
            Protocol = address.Protocol,
            Username = address.Username,
            Password = address.Password,
            Timeout = timeout ?? TimeSpan.FromSeconds(90),
        });
    }

    /// <summary>The database's name, safe to stand in a statement.</summary>
    public string Name { get; }

    /// <summary>The driver itself, for statements of one's own.</summary>
    public IClickHouseClient Client => _client;

    /// <summary>A statement without rows. <c>$database</c> in the text is the database's name.</summary>
    /// <exception cref="AnalyticsUnavailableException">ClickHouse did not answer.</exception>
    /// <exception cref="ClickHouseServerException">It answered with an error.</exception>
    public Task ExecuteAsync(
        string sql, IReadOnlyDictionary<string, object>? parameters = null, IDictionary<string, object>? settings = null, CancellationToken cancellationToken = default) =>
        GuardedAsync(() => _client.ExecuteNonQueryAsync(InDatabase(sql), Collection(parameters), Options(settings), cancellationToken), cancellationToken);

    /// <summary>All rows, each made by <paramref name="read"/>.</summary>
    /// <exception cref="AnalyticsUnavailableException">ClickHouse did not answer.</exception>
    public Task<List<TRow>> QueryAsync<TRow>(
        string sql, IReadOnlyDictionary<string, object>? parameters, Func<ClickHouseDataReader, TRow> read, CancellationToken cancellationToken) =>
        GuardedAsync(async () =>
        {
            await using var reader = await _client.ExecuteReaderAsync(InDatabase(sql), Collection(parameters), null, cancellationToken);
            var rows = new List<TRow>();
            while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
            return rows;
        }, cancellationToken);

    /// <summary>Rows encoded as RowBinary, in one insert.</summary>
    /// <param name="encoded">Disposed by the driver.</param>
    /// <exception cref="AnalyticsUnavailableException">ClickHouse did not answer; the rows may be in or not.</exception>
    public Task InsertAsync(string table, IReadOnlyList<string> columns, Stream encoded, IDictionary<string, object> settings, CancellationToken cancellationToken) =>
        GuardedAsync(async () =>
        {
            using var response = await _client.InsertRawStreamAsync($"{Name}.{table}", encoded, "RowBinary", columns, useCompression: false, Options(settings), cancellationToken);
            return true;
        }, cancellationToken);

    public void Dispose() => _client.Dispose();

    private string InDatabase(string sql) => sql.Replace("$database", Name, StringComparison.Ordinal);

    private static QueryOptions? Options(IDictionary<string, object>? settings) => settings is null ? null : new QueryOptions { CustomSettings = settings };

    private static ClickHouseParameterCollection? Collection(IReadOnlyDictionary<string, object>? parameters)
    {
        if (parameters is null) return null;
        var collection = new ClickHouseParameterCollection();
        foreach (var (name, value) in parameters) collection.AddParameter(name, value);
        return collection;
    }

    internal static async Task<T> GuardedAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            return await ask();
        }
        catch (Exception e) when (Silent(e))
        {
            if (cancellationToken.IsCancellationRequested) throw new OperationCanceledException("The question was given up.", e, cancellationToken);    // however the socket put it
            throw new AnalyticsUnavailableException("ClickHouse does not answer: " + e.Message, e);
        }
    }

    // SocketException: SocketsHttpHandler passes it on bare when the server goes between connecting and being asked for its address.
    // 202: its queue is full. 159: it ran out of time. 241: out of memory. None of them says anything about the statement itself.
    private static bool Silent(Exception e) => e is HttpRequestException or SocketException or (IOException and not FileNotFoundException) or OperationCanceledException or TimeoutException
        || e is ClickHouseServerException { ErrorCode: 202 or 159 or 241 };

    private static string Identifier(string name) => name.Length is > 0 and <= 64 && name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_')
        ? name
        : throw new ArgumentException($"A database's name is made of letters, digits and underscores: '{name}'.", nameof(name));
}
