using System.Globalization;
using Promotions.Faults.Scenarios;

namespace Promotions.Faults;

/// <summary>What the command line asks for.</summary>
/// <param name="Scenarios">In the order of the catalog.</param>
/// <param name="Minutes">Of traffic for each scenario: its fault is done again until they are over, and at least once. Default 1.</param>
/// <param name="Callers">At once. Default 12.</param>
/// <param name="Rate">Stories begun a second, at most; a story is two to five requests. Default 40.</param>
/// <param name="Races">Rounds of the race for one single-use code. Default 1,000.</param>
internal sealed record FaultOptions(
    IReadOnlyList<Scenario> Scenarios, double Minutes, int Seed, int Brokers, TimeSpan Stop, TimeSpan Storm, int Races, TimeSpan Pause, int Callers, double Rate, string Artifacts)
{
    public static FaultOptions Default { get; } = new(
        Catalog.All, 1, 1, 3, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60), 1_000, TimeSpan.FromSeconds(8), 12, 40, Path.Combine(Set.Shell.Root, "artifacts", "faults"));

    /// <exception cref="ArgumentException">An option is unknown or has no value; the message says which.</exception>
    public static FaultOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = Default;
        var chosen = new List<Scenario>();
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var name = arguments[i];
            var value = i + 1 < arguments.Count ? arguments[i + 1] : throw new ArgumentException($"{name} needs a value.");
            options = name switch
            {
                "--scenario" => options,
                "--minutes" => options with { Minutes = Number(name, value, 0, 600) },
                "--seed" => options with { Seed = (int)Number(name, value, 0, int.MaxValue) },
                "--brokers" => options with { Brokers = value is "1" or "3" ? int.Parse(value, CultureInfo.InvariantCulture) : throw new ArgumentException("--brokers is 1 or 3.") },
                "--stop-seconds" => options with { Stop = TimeSpan.FromSeconds(Number(name, value, 1, 3_600)) },
                "--storm-seconds" => options with { Storm = TimeSpan.FromSeconds(Number(name, value, 1, 3_600)) },
                "--races" => options with { Races = (int)Number(name, value, 1, 1_000_000) },
                "--rate" => options with { Rate = Number(name, value, 1, 10_000) },
                _ => throw new ArgumentException($"There is no option '{name}'."),
            };
            if (name is "--scenario") chosen.Add(Catalog.All.FirstOrDefault(s => s.Name == value) ?? throw new ArgumentException($"There is no scenario '{value}'. There are: {string.Join(", ", Catalog.All.Select(s => s.Name))}."));
        }

        if (chosen.Count > 0) options = options with { Scenarios = chosen };
        return options.Scenarios.FirstOrDefault(s => s.BrokersMin > options.Brokers) is { } starved
            ? throw new ArgumentException($"{starved.Name} needs {starved.BrokersMin} brokers.")
            : options;
    }

    private static double Number(string name, string value, double min, double max) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{name} must be from {min} to {max}, not '{value}'."));
}
