using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Promotions.ClickHouse.Engine;

namespace Promotions.ClickHouse.Http;

/// <summary>ClickHouse's HTTP interface over the engine in this process: the part that its drivers, <c>curl</c> and notebooks use.</summary>
internal sealed class ClickHouseEndpoint(ChdbEngine engine, StatementQueue queue, string? password, long statementBytesMax, TimeProvider time)
{
    // Parameters of the protocol itself; any other is a setting of the engine, as with the server.
    private static readonly HashSet<string> Protocol = new(StringComparer.Ordinal)
    {
        "query", "database", "default_format", "query_id", "user", "password", "session_id", "session_timeout", "session_check", "compress", "decompress",
        "enable_http_compression", "http_zlib_compression_level", "wait_end_of_query", "buffer_size", "quota_key", "role", "client_protocol_version", "stacktrace",
        "close_session", "add_http_cors_header", "async_insert", "wait_for_async_insert", "http_response_buffer_size", "readonly",
    };

    public async Task HandleAsync(HttpContext context)
    {
        try
        {
            if (Refusal(context.Request) is { } refusal)
            {
                await WriteErrorAsync(context, refusal);
                return;
            }

            await RunAsync(context);
        }
        catch (StatementTooLargeException e)
        {
            await WriteErrorAsync(context, ClickHouseError.Of(ClickHouseError.TooLarge, "TOO_MANY_BYTES", e.Message));
        }
        catch (QueueFullException e)
        {
            await WriteErrorAsync(context, ClickHouseError.Of(ClickHouseError.TooManyQueries, "TOO_MANY_SIMULTANEOUS_QUERIES", e.Message));
        }
        catch (InvalidDataException e)
        {
            await WriteErrorAsync(context, ClickHouseError.Of(ClickHouseError.UnknownCompression, "UNKNOWN_COMPRESSION_METHOD", e.Message));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller went away: there is nobody to answer.
        }
    }

    private async Task RunAsync(HttpContext context)
    {
        using var buffer = new NativeBuffer(statementBytesMax);
        var request = context.Request;
        if (request.Query["query"].ToString() is { Length: > 0 } query) buffer.Append(Encoding.UTF8.GetBytes(query + "\n"));
        if (!HttpMethods.IsGet(request.Method)) await buffer.AppendAsync(Decoded(request), context.RequestAborted);

        var finding = SqlGuard.Inspect(buffer.Written.Span);
        if (finding.Refusal is not null)
        {
            await WriteErrorAsync(context, ClickHouseError.Of(ClickHouseError.AccessDenied, "ACCESS_DENIED", finding.Refusal));
            return;
        }

        var settings = new List<KeyValuePair<string, string>>();
        var parameters = new List<KeyValuePair<string, string>>();
        foreach (var (name, value) in request.Query)
        {
            if (name.StartsWith("param_", StringComparison.Ordinal)) parameters.Add(new(name["param_".Length..], value.ToString()));
            else if (Protocol.Contains(name)) continue;
            else if (SettingName(name)) settings.Add(new(name, value.ToString()));
            else
            {
                await WriteErrorAsync(context, ClickHouseError.Of(115, "UNKNOWN_SETTING", $"Unknown setting '{name}'."));
                return;
            }
        }

        var format = First(request.Headers["X-ClickHouse-Format"].ToString(), request.Query["default_format"].ToString(), "TabSeparated");
        var database = First(request.Headers["X-ClickHouse-Database"].ToString(), request.Query["database"].ToString(), null);
        // A GET must not change anything, as with the server.
        var readOnly = finding.OnlyReads || HttpMethods.IsGet(request.Method);
        var statement = finding.Data is { } data
            ? new EngineStatement(buffer.Written[..data.StatementEnd], buffer.Written[data.Start..], data.Format, database, readOnly, settings, parameters)
            : new EngineStatement(buffer.Written, null, format!, database, readOnly, settings, parameters);

        using var turn = await queue.EnterAsync(context.RequestAborted);
        var started = time.GetTimestamp();
        using var result = await Task.Run(() => engine.Execute(statement));
        await WriteAsync(context, result, format!, request.Query["query_id"].ToString(), time.GetElapsedTime(started));
    }

    private static async Task WriteAsync(HttpContext context, EngineResult result, string format, string queryId, TimeSpan elapsed)
    {
        if (result.Error is not null)
        {
            await WriteErrorAsync(context, ClickHouseError.Parse(result.Error));
            return;
        }

        var headers = context.Response.Headers;
        headers["X-ClickHouse-Query-Id"] = queryId.Length > 0 ? queryId : context.TraceIdentifier;
        headers["X-ClickHouse-Format"] = format;
        headers["X-ClickHouse-Timezone"] = "UTC";
        headers["X-ClickHouse-Server-Display-Name"] = "promotions-embedded";
        headers["X-ClickHouse-Summary"] = string.Create(CultureInfo.InvariantCulture,
            $$"""{"read_rows":"{{result.Read.Rows}}","read_bytes":"{{result.Read.Bytes}}","written_rows":"{{result.Written.Rows}}","written_bytes":"{{result.Written.Bytes}}","total_rows_to_read":"0","result_rows":"0","result_bytes":"{{result.Length}}","elapsed_ns":"{{elapsed.Ticks * 100}}"}""");
        context.Response.ContentType = format.StartsWith("JSON", StringComparison.Ordinal) ? "application/json; charset=UTF-8"
            : format.StartsWith("RowBinary", StringComparison.Ordinal) || format == "Native" ? "application/octet-stream" : "text/tab-separated-values; charset=UTF-8";
        context.Response.ContentLength = result.Length;
        await using var body = result.OpenRead();
        await body.CopyToAsync(context.Response.Body, 128 * 1024, context.RequestAborted);
    }

    private static async Task WriteErrorAsync(HttpContext context, ClickHouseError error)
    {
        if (context.Response.HasStarted) { context.Abort(); return; }
        context.Response.StatusCode = error.Status;
        context.Response.Headers["X-ClickHouse-Exception-Code"] = error.Code.ToString(CultureInfo.InvariantCulture);
        context.Response.ContentType = "text/plain; charset=UTF-8";
        await context.Response.WriteAsync(error.Text + "\n", context.RequestAborted);
    }

    /// <summary>A web page in a browser on this machine can send a form to any port: such a request carries an origin, or a foreign host name.</summary>
    private ClickHouseError? Refusal(HttpRequest request)
    {
        if (request.Headers.Origin.Count > 0 || request.Host.Host is not ("127.0.0.1" or "localhost" or "[::1]"))
            return ClickHouseError.Of(ClickHouseError.AccessDenied, "ACCESS_DENIED", "Only programs of this machine may ask, at 127.0.0.1.");
        if (request.ContentType?.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) == true)
            return ClickHouseError.Of(ClickHouseError.NotImplemented, "NOT_IMPLEMENTED", "Send the statement as the body or as the parameter 'query', and values as 'param_NAME'.");
        if (password is null || Same(Password(request), password)) return null;
        return ClickHouseError.Of(ClickHouseError.AuthenticationFailed, "AUTHENTICATION_FAILED", "default: the password is wrong or missing.");
    }

    private static string Password(HttpRequest request)
    {
        if (request.Headers["X-ClickHouse-Key"].ToString() is { Length: > 0 } key) return key;
        if (AuthenticationHeaderValue.TryParse(request.Headers.Authorization.ToString(), out var header) && header is { Scheme: "Basic", Parameter: not null })
        {
            var pair = new byte[header.Parameter.Length];
            if (Convert.TryFromBase64String(header.Parameter, pair, out var length))
            {
                var text = Encoding.UTF8.GetString(pair, 0, length);
                return text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..];
            }
        }

        return request.Query["password"].ToString();
    }

    private static bool Same(string left, string right) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(left)), SHA256.HashData(Encoding.UTF8.GetBytes(right)));

    private static Stream Decoded(HttpRequest request) => request.Headers.ContentEncoding.ToString() switch
    {
        "" or "identity" => request.Body,
        "gzip" => new GZipStream(request.Body, CompressionMode.Decompress),
        "deflate" => new ZLibStream(request.Body, CompressionMode.Decompress),
        "br" => new BrotliStream(request.Body, CompressionMode.Decompress),
        "zstd" => new ZstdSharp.DecompressionStream(request.Body),
        var other => throw new InvalidDataException($"Unknown compression '{other}': use gzip, deflate, br, zstd or none."),
    };

    private static bool SettingName(string name) => name.Length is > 0 and <= 128 && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.');
    private static string? First(string one, string two, string? three) => one.Length > 0 ? one : two.Length > 0 ? two : three;
}
