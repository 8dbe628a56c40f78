using System.Globalization;
using System.Net;

namespace Promotions.Server;

/// <summary>What the command line and the environment say.</summary>
/// <param name="Rate">Requests a second that the demonstration goes on sending; 0 for none.</param>
/// <param name="DemoDays">Length of the demonstration's past. Default 60; one folder keeps its own.</param>
/// <param name="Listen">Loopback by default: other machines reach the system only where somebody said so.</param>
/// <param name="EnginePort">Of the embedded ClickHouse; 0 for a free one.</param>
/// <param name="AdminRemote">The dashboard answers browsers on other machines; it belongs behind TLS then.</param>
/// <param name="WebhooksPrivate">Webhooks may go to plain http and to addresses that are not public: receivers in one's own network.</param>
internal sealed record ServerOptions(
    string DataPath, IPAddress Listen, int Port, bool Demo, double Rate, int DemoDays, bool Analytics, string? ScenarioFile, string? EnginePath, int EnginePort, bool AdminRemote = false, bool WebhooksPrivate = false)
{
    public static ServerOptions FromEnvironment() => new(
        Environment.GetEnvironmentVariable("PROMOTIONS_DATA") ?? Path.Combine(Environment.CurrentDirectory, ".data"),
        ParseAddress(Environment.GetEnvironmentVariable("PROMOTIONS_LISTEN")),
        ParsePort("PROMOTIONS_PORT", 8080),
        Demo: true,
        Rate: 2,
        DemoDays: ParseDays(Environment.GetEnvironmentVariable("PROMOTIONS_DEMO_DAYS")),
        Analytics: true,
        ScenarioFile: null,
        EnginePath: Environment.GetEnvironmentVariable("PROMOTIONS_LIBCHDB"),
        EnginePort: ParsePort("PROMOTIONS_CLICKHOUSE_PORT", 0),
        AdminRemote: Environment.GetEnvironmentVariable("PROMOTIONS_ADMIN_REMOTE") is "true" or "1",
        WebhooksPrivate: Environment.GetEnvironmentVariable("PROMOTIONS_WEBHOOKS_PRIVATE") is "true" or "1");

    private static IPAddress ParseAddress(string? text) => text is null or "" ? IPAddress.Loopback
        : IPAddress.TryParse(text, out var address) ? address
        : throw new StartRefusedException($"PROMOTIONS_LISTEN must be an address of this machine (0.0.0.0 for all), not '{text}'.");

    private static int ParseDays(string? text) => text is null or ""
        ? 60
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days is > 0 and <= 365
            ? days
            : throw new StartRefusedException($"PROMOTIONS_DEMO_DAYS must be 1 to 365, not '{text}'.");

    private static int ParsePort(string name, int otherwise) => Environment.GetEnvironmentVariable(name) is not { Length: > 0 } text
        ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536
            ? port
            : throw new StartRefusedException($"{name} must be a port from 1 to 65535, not '{text}'.");
}
