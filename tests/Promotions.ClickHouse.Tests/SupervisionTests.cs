using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Promotions.Analytics.Hosting;
using Promotions.ClickHouse.Engine;
using Promotions.ClickHouse.Http;

namespace Promotions.ClickHouse.Tests;

public sealed class SupervisionTests(EngineFixture fixture)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private EmbeddedClickHouse Start(string folder) => EmbeddedClickHouse.Start(
        new() { LibraryPath = fixture.Library, DataFolder = fixture.NewFolder(folder), RestartMax = TimeSpan.FromMilliseconds(320) }, TimeProvider.System, NullLogger<EmbeddedClickHouse>.Instance);

    private static async Task<string> AskAsync(EmbeddedClickHouse engine, string sql)
    {
        using var http = new HttpClient();
        using var answer = await http.PostAsync(new Uri($"http://127.0.0.1:{engine.Address.Port}/"), new StringContent(sql), Stop);
        return (await answer.Content.ReadAsStringAsync(Stop)).TrimEnd();
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!condition()) await Task.Delay(20, patience.Token);
    }

    [Fact]
    public async Task A_killed_engine_is_started_again_at_the_same_address_with_its_tables()
    {
        await using var engine = Start("killed");
        await engine.WaitReadyAsync(Stop);
        await AskAsync(engine, "CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a");
        await AskAsync(engine, "INSERT INTO kept SELECT 7");
        var first = engine.ProcessId!.Value;
        using (var process = Process.GetProcessById(first)) process.Kill();

        await UntilAsync(() => engine.Ready && engine.ProcessId is { } now && now != first);
        Assert.Equal("7", await AskAsync(engine, "SELECT a FROM kept"));
    }

    [Fact]
    public async Task The_engine_leaves_when_its_parent_is_gone()
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "promotions-clickhouse")) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "--library", fixture.Library, "--data", fixture.NewFolder("orphan"), "--port", "0", "--exit-with-stdin" }) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        Assert.StartsWith("ready http://127.0.0.1:", await process.StandardOutput.ReadLineAsync(Stop), StringComparison.Ordinal);
        process.StandardInput.Close();   // what the system does when the parent dies
        await process.WaitForExitAsync(Stop);
        Assert.Equal(EngineHost.ExitOk, process.ExitCode);
    }

    [Fact]
    public async Task A_missing_library_is_told_in_a_sentence_and_never_waited_for()
    {
        await using var engine = EmbeddedClickHouse.Start(
            new() { LibraryPath = "/nowhere/libchdb.so", DataFolder = fixture.NewFolder("none"), RestartMax = TimeSpan.FromMilliseconds(100) }, TimeProvider.System, NullLogger<EmbeddedClickHouse>.Instance);
        await UntilAsync(() => engine.LastWords.Length > 0);
        Assert.False(engine.Ready);
        Assert.Contains("fetch-chdb", engine.LastWords, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dotnet_faults_are_still_exceptions_after_the_engine_took_and_gave_back_the_signals()
    {
        // In a process of its own: the test's process must not become the engine's host. The host handles its requests on .NET code,
        // and a null reference there (SIGSEGV) would end it if its handlers were gone; a division by zero is SIGFPE.
        await using var engine = Start("signals");
        await engine.WaitReadyAsync(Stop);
        var process = engine.ProcessId;
        Assert.Contains("Code: 153", await AskAsync(engine, "SELECT intDiv(1, 0)"), StringComparison.Ordinal);
        Assert.Equal("1", await AskAsync(engine, "SELECT 1"));
        Assert.Equal(process, engine.ProcessId);
        using var mask = new StreamReader($"/proc/{process}/status");
        var caught = (await mask.ReadToEndAsync(Stop)).Split('\n').Single(static line => line.StartsWith("SigCgt:", StringComparison.Ordinal));
        var bits = Convert.ToUInt64(caught["SigCgt:".Length..].Trim(), 16);
        foreach (var signal in new[] { 8, 11 }) Assert.True((bits >> (signal - 1) & 1) == 1, $"signal {signal} has no handler: {caught}");
    }

    [Fact]
    public async Task Statements_wait_in_a_bounded_queue()
    {
        using var queue = new StatementQueue(waitingMax: 1);
        var running = await queue.EnterAsync(Stop);
        var waiting = queue.EnterAsync(Stop);
        await Assert.ThrowsAsync<QueueFullException>(() => queue.EnterAsync(Stop));
        Assert.False(waiting.IsCompleted);
        running.Dispose();
        (await waiting).Dispose();
        (await queue.EnterAsync(Stop)).Dispose();
    }

    [Fact]
    public async Task A_body_over_the_bound_is_refused_before_it_is_held()
    {
        using var buffer = new NativeBuffer(bytesMax: 100_000);
        using var endless = new MemoryStream(new byte[300_000]);
        await Assert.ThrowsAsync<StatementTooLargeException>(() => buffer.AppendAsync(endless, Stop));
        Assert.True(buffer.Length <= 100_000 + 131_072);
    }

    [Theory]
    [InlineData("Code: 60. DB::Exception: no", 60, 404)]
    [InlineData("Code: 241. DB::Exception: memory", 241, 500)]
    [InlineData("something else", 1002, 500)]
    public void An_engines_error_is_read_for_its_code(string text, int code, int status)
    {
        var error = ClickHouseError.Parse(text);
        Assert.Equal((code, status, text), (error.Code, error.Status, error.Text));
    }

    [Fact]
    public void A_wrong_library_is_named_in_the_refusal()
    {
        var wrong = fixture.NewFolder("not-a-library.so");
        File.WriteAllText(wrong, "text");
        var refusal = Assert.Throws<EngineStartException>(() => ChdbEngine.Start(new(wrong, fixture.NewFolder("unused"), 1, 1, 1)));
        Assert.Contains(wrong, refusal.Message, StringComparison.Ordinal);
    }
}
