using System.Globalization;
using System.Text.Json;

namespace Promotions.Faults.Report;

/// <summary>The table on the terminal, and the file.</summary>
internal static class FaultReport
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static string Header => string.Create(CultureInfo.InvariantCulture, $"{"scenario",-20}{"requests",10}{"acknowledged",14}{"strikes",9}{"lost",6}{"changed",9}{"double",8}{"longest gap",13}  verify");

    public static string Line(ScenarioRow row) => string.Create(CultureInfo.InvariantCulture,
        $"{row.Scenario,-20}{row.Requests,10:#,0}{row.Acknowledged,14:#,0}{row.Strikes,9}{row.Lost,6}{row.Changed,9}{row.Doubled,8}{row.LongestGap.TotalSeconds,11:0.0} s  {(row.IsSound ? "sound" : "UNSOUND")}");

    public static string Json(int seed, int brokers, IReadOnlyList<ScenarioRow> rows) => JsonSerializer.Serialize(
        new
        {
            Seed = seed,
            Brokers = brokers,
            Passed = rows.All(row => row.Breaches.Count == 0),
            Scenarios = rows.Select(row => new
            {
                row.Scenario,
                row.Requests,
                row.Acknowledged,
                row.Strikes,
                row.Lost,
                row.Changed,
                Double = row.Doubled,
                LongestGapSeconds = Math.Round(row.LongestGap.TotalSeconds, 2),
                Seconds = Math.Round(row.Took.TotalSeconds, 1),
                row.StartedAgain,
                row.TurnedAway,
                row.Notes,
                Verify = row.IsSound ? "sound" : "unsound",
                Breaches = row.Breaches.Select(breach => new { Kind = breach.Kind.ToString().ToLowerInvariant(), breach.What }),
            }),
        },
        s_json);
}
