using System.Globalization;

namespace Promotions.Server;

/// <summary>What the command line and the environment say.</summary>
/// <param name="Rate">Requests a second that the demonstration goes on sending; 0 for none.</param>
/// <param name="DemoDays">Length of the demonstration's past. Default 60; one folder keeps its own.</param>
internal sealed record ServerOptions(string DataPath, int Port, bool Demo, double Rate, int DemoDays, bool Analytics, string? ScenarioFile, string? EnginePath)
{
    public static ServerOptions FromEnvironment() => new(
        Environment.GetEnvironmentVariable("PROMOTIONS_DATA") ?? Path.Combine(Environment.CurrentDirectory, ".data"),
        ParsePort(Environment.GetEnvironmentVariable("PROMOTIONS_PORT")),
        Demo: true,
        Rate: 2,
        DemoDays: ParseDays(Environment.GetEnvironmentVariable("PROMOTIONS_DEMO_DAYS")),
        Analytics: true,
        ScenarioFile: null,
        EnginePath: Environment.GetEnvironmentVariable("PROMOTIONS_LIBCHDB"));

    private static int ParseDays(string? text) => text is null or ""
        ? 60
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days is > 0 and <= 365
            ? days
            : throw new StartRefusedException($"PROMOTIONS_DEMO_DAYS must be 1 to 365, not '{text}'.");

    private static int ParsePort(string? text) => text is null or ""
        ? 8080
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536
            ? port
            : throw new StartRefusedException($"PROMOTIONS_PORT must be a port from 1 to 65535, not '{text}'.");
}
