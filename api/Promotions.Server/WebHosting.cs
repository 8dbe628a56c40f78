using System.Net;
using System.Net.Sockets;

namespace Promotions.Server;

/// <summary>The web host that every form of the system starts from: quiet, small, on the address that the operator chose.</summary>
internal static class WebHosting
{
    public static WebApplicationBuilder CreateBuilder(ServerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning)
            .AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);       // the keys lie where only this system reads
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(options.Listen, options.Port));
        return builder;
    }

    public static ILoggerFactory CreateLoggers() =>
        LoggerFactory.Create(logging => logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning));

    /// <summary>Asked before anything is opened, so that the sentence is the first thing the operator reads.</summary>
    public static void RefuseTakenPort(IPAddress listen, int port)
    {
        try
        {
            using var listener = new TcpListener(listen, port);
            listener.Start();
        }
        catch (SocketException e)
        {
            throw new StartRefusedException($"Port {port} is in use or not allowed ({e.SocketErrorCode}). Stop what listens there, or set PROMOTIONS_PORT to another port.", e);
        }
    }
}
