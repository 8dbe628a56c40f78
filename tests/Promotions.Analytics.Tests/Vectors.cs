using System.Globalization;
using System.Text.Json;

namespace Promotions.Analytics.Tests;

/// <summary>Numbers of public libraries, from the data sets beside the checkout.</summary>
internal static class Vectors
{
    public static IEnumerable<JsonElement> Cases(string file)
    {
        var path = Find(Path.Combine("vectors", "statistics", file));
        if (path is null)
        {
            const string Reason = "The data sets are missing: name their folder in PROMOTIONS_DATA_SETS.";
            if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail(Reason);
            Assert.Skip(Reason);
        }

        using var document = JsonDocument.Parse(File.ReadAllText(path));
        return [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(static test => test.Clone())];
    }

    /// <returns>Null for a word such as "verdict"; NaN and infinities are words of their own.</returns>
    public static double? Number(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Number => element.GetDouble(),
        JsonValueKind.String => double.TryParse(element.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
        _ => null,
    };

    public static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(static element => Number(element)!.Value)];

    private static string? Find(string relative)
    {
        if (Environment.GetEnvironmentVariable("PROMOTIONS_DATA_SETS") is { Length: > 0 } named)
            return Path.Combine(named, relative) is var there && File.Exists(there) ? there : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Path.Combine(folder.FullName, "shared", "data", relative) is var path && File.Exists(path)) return path;
        return null;
    }
}
