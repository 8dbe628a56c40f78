using System.IO.Compression;
using System.Net;
using System.Text;
using ClickHouse.Driver;
using ClickHouse.Driver.ADO;
using ClickHouse.Driver.ADO.Parameters;
using ClickHouse.Driver.Utility;

namespace Promotions.ClickHouse.Tests;

/// <summary>What curl, a notebook and the official driver see.</summary>
public sealed class ProtocolTests(EngineFixture fixture) : IDisposable
{
    private readonly HttpClient _http = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _http.Dispose();

    private Uri Uri(string query = "") => new($"http://127.0.0.1:{fixture.Engine.Address.Port}/{query}");

    private async Task<HttpResponseMessage> SendAsync(HttpContent? body, string query = "", Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, Uri(query)) { Content = body };
        request.Headers.Add("X-ClickHouse-Key", EngineFixture.Password);
        change?.Invoke(request);
        return await _http.SendAsync(request, Stop);
    }

    private async Task<string> AskAsync(string sql, string query = "")
    {
        using var answer = await SendAsync(new StringContent(sql), query);
        return (await answer.Content.ReadAsStringAsync(Stop)).TrimEnd();
    }

    private ClickHouseClient Driver(bool compression = true) => new(new ClickHouseClientSettings
    {
        Host = "127.0.0.1",
        Port = (ushort)fixture.Engine.Address.Port,
        Password = EngineFixture.Password,
        UseCompression = compression,
    });

    [Fact]
    public async Task Ping_answers_without_a_password()
    {
        Assert.Equal("Ok.\n", await _http.GetStringAsync(Uri("ping"), Stop));
        Assert.Equal("Ok.\n", await _http.GetStringAsync(Uri(), Stop));
    }

    [Fact]
    public async Task Statements_travel_in_the_body_or_the_query_and_formats_are_the_callers_choice()
    {
        Assert.Equal("1\ta", await AskAsync("SELECT 1, 'a'"));
        Assert.Equal("{\"x\":1}", await AskAsync("SELECT 1 AS x", "?default_format=JSONEachRow"));
        Assert.Equal("x\n1", (await AskAsync("SELECT 1 AS x FORMAT CSVWithNames")).Replace("\"", "", StringComparison.Ordinal));
        using var got = await SendAsync(null, "?query=SELECT%202");
        Assert.Equal("2\n", await got.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Parameters_bind_values_and_never_enter_the_text()
    {
        Assert.Equal("'; DROP TABLE x", await AskAsync("SELECT {name:String} FORMAT TSVRaw", "?param_name=" + System.Uri.EscapeDataString("'; DROP TABLE x")));
        Assert.Equal("43", await AskAsync("SELECT {n:UInt8} + 1", "?param_n=42"));
    }

    [Fact]
    public async Task A_setting_lasts_for_its_statement_only()
    {
        Assert.Equal("7", await AskAsync("SELECT getSetting('max_block_size')", "?max_block_size=7"));
        Assert.NotEqual("7", await AskAsync("SELECT getSetting('max_block_size')"));
        Assert.Contains("Code: 115", await AskAsync("SELECT 1", "?no_such_setting=1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_carry_code_status_and_text_as_the_server_words_them()
    {
        using var unknown = await SendAsync(new StringContent("SELECT * FROM nowhere"));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Equal("60", unknown.Headers.GetValues("X-ClickHouse-Exception-Code").Single());
        Assert.StartsWith("Code: 60. DB::Exception:", await unknown.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        using var syntax = await SendAsync(new StringContent("SELEKT 1"));
        Assert.Equal((HttpStatusCode.BadRequest, "62"), (syntax.StatusCode, syntax.Headers.GetValues("X-ClickHouse-Exception-Code").Single()));
    }

    [Fact]
    public async Task Gzip_zstd_brotli_and_deflate_bodies_are_read_and_others_refused()
    {
        foreach (var (name, compress) in new (string, Func<Stream, Stream>)[]
        {
            ("gzip", static stream => new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true)),
            ("deflate", static stream => new ZLibStream(stream, CompressionLevel.Fastest, leaveOpen: true)),
            ("br", static stream => new BrotliStream(stream, CompressionLevel.Fastest, leaveOpen: true)),
            ("zstd", static stream => new ZstdSharp.CompressionStream(stream, leaveOpen: true)),
        })
        {
            using var packed = new MemoryStream();
            await using (var compressor = compress(packed)) await compressor.WriteAsync(Encoding.UTF8.GetBytes($"SELECT '{name}'"), Stop);
            using var body = new ByteArrayContent(packed.ToArray());
            body.Headers.ContentEncoding.Add(name);
            using var answer = await SendAsync(body);
            Assert.Equal(name + "\n", await answer.Content.ReadAsStringAsync(Stop));
        }

        using var odd = new StringContent("SELECT 1");
        odd.Headers.ContentEncoding.Add("snappy");
        using var refused = await SendAsync(odd);
        Assert.Equal("89", refused.Headers.GetValues("X-ClickHouse-Exception-Code").Single());
    }

    [Fact]
    public async Task Callers_without_the_password_and_web_pages_are_turned_away()
    {
        using var nobody = await _http.PostAsync(Uri(), new StringContent("SELECT 1"), Stop);
        Assert.Equal("516", nobody.Headers.GetValues("X-ClickHouse-Exception-Code").Single());
        using var page = await SendAsync(new StringContent("SELECT 1"), change: static request => request.Headers.Add("Origin", "https://example.org"));
        Assert.Equal(HttpStatusCode.Forbidden, page.StatusCode);
        using var rebound = await SendAsync(new StringContent("SELECT 1"), change: static request => request.Headers.Host = "example.org");
        Assert.Equal(HttpStatusCode.Forbidden, rebound.StatusCode);
    }

    [Fact]
    public async Task Doors_to_the_outside_are_shut_and_readers_change_nothing()
    {
        Assert.Contains("not available", await AskAsync("SELECT * FROM file('/etc/passwd', 'LineAsString')"), StringComparison.Ordinal);
        Assert.Contains("not available", await AskAsync("SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')"), StringComparison.Ordinal);
        using var got = await SendAsync(null, "?query=CREATE%20TABLE%20by_get%20(a%20UInt8)%20ENGINE%20%3D%20Memory");
        Assert.Equal("164", got.Headers.GetValues("X-ClickHouse-Exception-Code").Single());
    }

    [Fact]
    public async Task A_statement_that_needs_too_much_memory_fails_alone()
    {
        Assert.Contains("Code: 241", await AskAsync("SELECT groupArray(toString(number)) FROM numbers(100000000) FORMAT Null", "?max_memory_usage=50000000"), StringComparison.Ordinal);
        Assert.Equal("1", await AskAsync("SELECT 1"));
    }

    [Fact]
    public async Task Binary_inserts_with_any_byte_arrive_as_sent()
    {
        await AskAsync("CREATE TABLE bytes (id UInt8, text String) ENGINE = MergeTree ORDER BY id");
        var data = new List<byte>();
        for (var i = 0; i < 256; i++) data.AddRange([(byte)i, 4, (byte)i, (byte)';', (byte)'\n', 0]);
        using var answer = await SendAsync(new ByteArrayContent([.. data]), "?query=INSERT%20INTO%20bytes%20FORMAT%20RowBinary");
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Stop));
        Assert.Equal("256\t256", await AskAsync("SELECT count(), countIf(text = concat(char(id), ';\n', char(0))) FROM bytes"));
    }

    [Theory]
    [InlineData("VALUES (1, 'a\n\nb'), (2, ';')")]
    [InlineData("FORMAT Values (1, 'a\n\nb'), (2, ';')")]
    [InlineData("FORMAT JSONEachRow\n{\"id\":1,\"text\":\"a\\n\\nb\"}\n\n{\"id\":2,\"text\":\";\"}")]
    [InlineData("(id, text) SETTINGS max_threads = 1 FORMAT TSV\n1\ta\\n\\nb\n2\t;\n")]
    public async Task Inserts_keep_empty_lines_in_every_format(string rest)
    {
        await AskAsync("DROP TABLE IF EXISTS lines");
        await AskAsync("CREATE TABLE lines (id UInt8, text String) ENGINE = Memory");
        Assert.Equal("", await AskAsync("INSERT INTO lines " + rest));
        Assert.Equal("1\t1\t1", await AskAsync("SELECT countIf(id = 1 AND text = 'a\n\nb'), countIf(id = 2), count() - 1 FROM lines"));
        Assert.Contains("Code: ", await AskAsync("INSERT INTO lines FORMAT TSV\nnot a number\tx"), StringComparison.Ordinal);
        Assert.Contains("Code: 60", await AskAsync("INSERT INTO no_such_table VALUES (1)"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_official_driver_creates_inserts_queries_and_reads_errors(bool compression)
    {
        using var driver = Driver(compression);
        var table = "driver_" + compression.ToString().ToLowerInvariant();
        Assert.True(await driver.PingAsync(cancellationToken: Stop));
        await driver.ExecuteNonQueryAsync($"CREATE TABLE {table} (id UInt64, name String, price Nullable(Decimal(18, 2)), at DateTime64(3, 'UTC'), tags Array(String)) ENGINE = MergeTree ORDER BY id", cancellationToken: Stop);
        var at = new DateTime(2026, 3, 1, 12, 30, 15, 250, DateTimeKind.Utc);
        var rows = Enumerable.Range(0, 5_000).Select(i => new object[] { (ulong)i, $"name {i}", i % 2 == 0 ? 12.5m : null!, at, new[] { "a", "b" } });
        Assert.Equal(5_000, await driver.InsertBinaryAsync(table, ["id", "name", "price", "at", "tags"], rows, cancellationToken: Stop));

        Assert.Equal("5000", await AskAsync($"SELECT count() FROM {table}"));
        var parameters = new ClickHouseParameterCollection();
        parameters.AddParameter("id", 4_242UL);
        await using var reader = await driver.ExecuteReaderAsync($"SELECT name, price, at, tags FROM {table} WHERE id = {{id:UInt64}}", parameters, cancellationToken: Stop);
        Assert.True(await reader.ReadAsync(Stop));
        Assert.Equal("name 4242", reader.GetString(0));
        Assert.Equal(12.5m, Convert.ToDecimal(reader.GetValue(1), System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(at, reader.GetDateTime(2));
        Assert.Equal(["a", "b"], Assert.IsType<string[]>(reader.GetValue(3)));
        Assert.False(await reader.ReadAsync(Stop));

        var error = await Assert.ThrowsAsync<ClickHouseServerException>(() => driver.ExecuteScalarAsync("SELECT no_such_function(1)", cancellationToken: Stop));
        Assert.Equal(46, error.ErrorCode);
    }

    [Fact]
    public async Task Many_callers_at_once_are_all_served()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => AskAsync($"SELECT {i}, count() FROM numbers(100000)")));
        Assert.Equal(Enumerable.Range(0, 40).Select(static i => $"{i}\t100000"), answers);
    }
}
