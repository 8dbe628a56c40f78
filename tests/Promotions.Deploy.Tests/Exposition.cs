using System.Text.RegularExpressions;

namespace Promotions.Deploy.Tests;

/// <summary>What a process exports, in Prometheus' text format: names as queries use them, and the labels of each.</summary>
internal sealed partial class Exposition
{
    private readonly Dictionary<string, HashSet<string>> _labels = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Names => _labels.Keys;

    /// <summary>Null: no such name.</summary>
    public IReadOnlySet<string>? LabelsOf(string name) => _labels.GetValueOrDefault(name);

    public Exposition Add(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            if (line.Length == 0 || line[0] == '#') continue;
            var sample = Sample().Match(line);
            Assert.True(sample.Success, line);
            var name = sample.Groups["name"].Value;
            if (!_labels.TryGetValue(name, out var labels)) _labels.Add(name, labels = []);
            foreach (Match label in Label().Matches(sample.Groups["labels"].Value)) labels.Add(label.Groups["name"].Value);
        }
        return this;
    }

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>.*)\})? [-+0-9.eENaInf]+( [0-9]+)?$""")]
    private static partial Regex Sample();

    [GeneratedRegex("""(?<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"[,]?""")]
    private static partial Regex Label();
}
