using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Promotions.ClickHouse.Engine;
using Promotions.ClickHouse.Http;

namespace Promotions.ClickHouse;

/// <param name="WaitingMax">Statements waiting for their turn.</param>
/// <param name="Password">Asked of every caller when set.</param>
/// <param name="Niceness">How far to step back for other processes, 0 to 19.</param>
internal sealed record EngineHostOptions(EngineOptions Engine, int Port, int WaitingMax, long StatementBytesMax, bool ExitWithStandardInput, string? Password, int Niceness);

/// <summary>Starts the engine, serves it, and leaves without running the engine's destructors, which crash.</summary>
internal static class EngineHost
{
    // A supervisor tells these apart: a busy port or folder may free itself, a library that does not load will not.
    public const int ExitOk = 0;
    public const int ExitEngine = 3;
    public const int ExitPort = 4;

    public static async Task<int> RunAsync(EngineHostOptions options, CancellationToken cancellationToken)
    {
        if (options.ExitWithStandardInput) LeaveWhenStandardInputEnds();
        ProcessPriority.Lower(options.Niceness);
        ChdbEngine engine;
        try
        {
            engine = ChdbEngine.Start(options.Engine);
        }
        catch (EngineStartException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return Leave(ExitEngine);
        }

        ProcessPriority.Lower(options.Niceness);   // as root, the engine's memory worker has given itself the highest
        using var queue = new StatementQueue(options.WaitingMax);
        var endpoint = new ClickHouseEndpoint(engine, queue, options.Password, options.StatementBytesMax, TimeProvider.System);
        await using var app = Build(options, endpoint);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException e)
        {
            await Console.Error.WriteLineAsync($"Cannot listen on 127.0.0.1:{options.Port}: {e.Message} Name another port.");
            return Leave(ExitPort);
        }

        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"ready {address} ClickHouse {engine.Version}"));
        await app.WaitForShutdownAsync(cancellationToken);
        using (await queue.EnterAsync(CancellationToken.None)) return Leave(ExitOk);   // the statement that runs is finished first
    }

    private static WebApplication Build(EngineHostOptions options, ClickHouseEndpoint endpoint)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, options.Port);
            kestrel.Limits.MaxRequestBodySize = options.StatementBytesMax;
            kestrel.Limits.MaxRequestLineSize = 1 << 20;       // statements may travel in the query string
            kestrel.Limits.MaxRequestBufferSize = 2 << 20;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.AddServerHeader = false;
        });
        var app = builder.Build();
        app.MapGet("/ping", static () => Results.Text("Ok.\n"));
        app.MapMethods("/", ["GET", "POST", "HEAD"], (HttpContext context) => HandleAsync(endpoint, context));
        return app;
    }

    private static async Task HandleAsync(ClickHouseEndpoint endpoint, HttpContext context)
    {
        // The server answers a bare GET with a word, which clients use as a ping.
        if (!HttpMethods.IsPost(context.Request.Method) && !context.Request.QueryString.HasValue) await context.Response.WriteAsync("Ok.\n");
        else await endpoint.HandleAsync(context);
    }

    private static void LeaveWhenStandardInputEnds()
    {
        // A thread, not a task: it must run while every pool thread is inside the engine.
        var watch = new Thread(static () =>
        {
            using var input = Console.OpenStandardInput();
            Span<byte> ignored = stackalloc byte[16];
            while (input.Read(ignored) > 0) { }
            Leave(ExitOk);
        })
        { IsBackground = true, Name = "parent-watch" };
        watch.Start();
    }

    private static int Leave(int code)
    {
        Console.Out.Flush();
        Exit(code);
        return code;
    }

    [DllImport("libc", EntryPoint = "_exit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void Exit(int code);
}
