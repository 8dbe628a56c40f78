using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Promotions.Training.Search;

/// <summary>Trials that have ended, in memory and, with a path, in a file: one line of JSON each, after one that says what was searched.</summary>
/// <remarks>A search looks its trials up here first, so that one that is begun again goes the same way and does not repeat them.</remarks>
public sealed class SearchState
{
    private const int Format = 1;
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly string? _path;
    private readonly Dictionary<(string, int), Trial> _trials = [];

    private SearchState(string? path) => _path = path;

    private sealed record Header(int Format, string Data, string Metric, int Seed, int Folds, double LabelDelayDays);
    private sealed record Line(Family Family, double[] Values, int Rung, double[] Losses, int Work, double Seconds);

    /// <summary>Trials that an earlier run left.</summary>
    public int Count => _trials.Count;

    /// <summary>Kept for this run only.</summary>
    public static SearchState InMemory() => new(null);

    /// <summary>Goes on with the file, if it is there.</summary>
    public static SearchState In(string path) => new(path);

    internal static IEqualityComparer<Candidate> SameCandidate { get; } = EqualityComparer<Candidate>.Create((one, other) => KeyOf(one!) == KeyOf(other!), one => KeyOf(one).GetHashCode(StringComparison.Ordinal));

    internal static string KeyOf(Candidate candidate) => $"{(int)candidate.Family} {string.Join(' ', candidate.Values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)))}";

    /// <exception cref="InvalidDataException">The file is of another search, or damaged.</exception>
    internal void Begin(DataSet data, SearchTask task)
    {
        var header = new Header(Format, Fingerprint(data), task.Metric.Name, task.Seed, task.Folds, task.LabelDelay.TotalDays);
        if (_path is null) return;
        if (!File.Exists(_path))
        {
            File.WriteAllText(_path, JsonSerializer.Serialize(header, Json) + "\n");
            return;
        }

        var text = File.ReadAllText(_path);
        // A line that was being written when the power went is not a trial yet.
        var whole = text[..(text.LastIndexOf('\n') + 1)];
        if (whole.Length < text.Length) File.WriteAllText(_path, whole);
        var lines = whole.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        try
        {
            if (lines.Length == 0 || JsonSerializer.Deserialize<Header>(lines[0], Json) is not { } known) throw new InvalidDataException($"{_path} is no state of a search.");
            if (known != header) throw new InvalidDataException($"{_path} is the state of another search: {known}, and this is {header}. Name another file with --state, or remove it.");
            foreach (var line in lines.Skip(1))
            {
                var read = JsonSerializer.Deserialize<Line>(line, Json)!;
                var trial = new Trial(new(read.Family, read.Values), read.Rung, read.Losses, read.Work, read.Seconds);
                _trials[(KeyOf(trial.Candidate), trial.Rung)] = trial;
            }
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{_path} is no state of a search: {e.Message}", e);
        }
    }

    internal Trial? Find(Candidate candidate, int rung) => _trials.GetValueOrDefault((KeyOf(candidate), rung));

    internal void Add(Trial trial)
    {
        _trials[(KeyOf(trial.Candidate), trial.Rung)] = trial;
        if (_path is not null) File.AppendAllText(_path, JsonSerializer.Serialize(new Line(trial.Candidate.Family, [.. trial.Candidate.Values], trial.Rung, trial.Losses, trial.Work, trial.Seconds), Json) + "\n");
    }

    private static string Fingerprint(DataSet data)
    {
        var hash = new XxHash64();
        foreach (var row in data.Rows)
        {
            hash.Append(MemoryMarshal.AsBytes(row.Vector.AsSpan()));
            hash.Append(BitConverter.GetBytes(row.At.UnixMilliseconds));
            hash.Append([row.Abuse ? (byte)1 : (byte)0]);
        }
        return string.Create(CultureInfo.InvariantCulture, $"{data.Rows.Count} rows {hash.GetCurrentHashAsUInt64():x16}");
    }
}
