using System.Globalization;

namespace Promotions.Server;

/// <summary>What the command line and the environment say.</summary>
/// <param name="Rate">Requests a second that the demonstration goes on sending; 0 for none.</param>
internal sealed record ServerOptions(string DataPath, int Port, bool Demo, double Rate, bool Analytics, string? ScenarioFile, string? EnginePath)
{
    public static ServerOptions FromEnvironment() => new(
        Environment.GetEnvironmentVariable("PROMOTIONS_DATA") ?? Path.Combine(Environment.CurrentDirectory, ".data"),
        ParsePort(Environment.GetEnvironmentVariable("PROMOTIONS_PORT")),
        Demo: true,
        Rate: 2,
        Analytics: true,
        ScenarioFile: null,
        EnginePath: Environment.GetEnvironmentVariable("PROMOTIONS_LIBCHDB"));

    private static int ParsePort(string? text) => text is null or ""
        ? 8080
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536
            ? port
            : throw new StartRefusedException($"PROMOTIONS_PORT must be a port from 1 to 65535, not '{text}'.");
}
