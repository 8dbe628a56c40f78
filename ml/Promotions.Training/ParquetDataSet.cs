using System.Globalization;
using System.Text.Json;
using Parquet;
using Parquet.Schema;
using Promotions.Domain;
using Promotions.Features;

namespace Promotions.Training;

/// <summary>Logged attempts as Parquet, for whatever a data scientist works with, and back as rows to learn from.</summary>
/// <remarks>Columns: <c>redemption_id, position, at_ms</c> (Unix milliseconds, UTC), <c>abuse</c> (1, 0, or −1 where nobody said anything), <c>label_at_ms</c> (−1 without), <c>label_source</c>,
/// <c>status</c> (what it was answered; empty where no decision is at hand), <c>propensity</c> (the chance that a would-be block had to pass, NaN for all others), <c>weight</c> (0 where nobody saw an outcome), a
/// <c>key_</c> column per entity kind (64 bits that stand for its name, 0 for none), then one float32 per feature by its name, NaN for missing. Metadata: layout and
/// <c>labels_until_ms</c>. The registry, in a JSON file beside it, says what each feature is.</remarks>
public static class ParquetDataSet
{
    public const string Extension = ".parquet";
    private const int RowsPerGroup = 65_536;
    private const string LayoutKey = "layout";
    private const string UntilKey = "labels_until_ms";
    private const string WeightName = "weight";
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static async Task WriteAsync(Stream stream, LogDataSet data, CancellationToken cancellationToken)
    {
        var columns = new Columns();
        await using var writer = await ParquetWriter.CreateAsync(columns.Schema, stream, cancellationToken: cancellationToken).ConfigureAwait(false);
        writer.CustomMetadata = new Dictionary<string, string>
        {
            [LayoutKey] = Layout,
            [UntilKey] = data.Until.UnixMilliseconds.ToString(CultureInfo.InvariantCulture),
        };
        var weights = ObservedOutcomes.Weigh(data.Rows);
        for (var from = 0; from < data.Rows.Count; from += RowsPerGroup)
        {
            LoggedAttempt[] rows = [.. data.Rows.Skip(from).Take(RowsPerGroup)];
            var end = Math.Min(from + RowsPerGroup, data.Rows.Count);
            using var group = writer.CreateRowGroup();
            await group.WriteAsync(columns.Id, rows.Select(row => row.RedemptionId).ToArray()).ConfigureAwait(false);
            await Column(columns.Position, row => row.Position).ConfigureAwait(false);
            await Column(columns.At, row => row.At.UnixMilliseconds).ConfigureAwait(false);
            await Column(columns.Abuse, row => row.Abuse switch { true => 1, false => 0, null => -1 }).ConfigureAwait(false);
            await Column(columns.LabelAt, row => row.LabelAt?.UnixMilliseconds ?? -1).ConfigureAwait(false);
            await group.WriteAsync(columns.Source, rows.Select(row => row.LabelSource ?? "").ToArray()).ConfigureAwait(false);
            await group.WriteAsync(columns.Status, rows.Select(row => row.Status is { } status ? JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString()) : "").ToArray()).ConfigureAwait(false);
            await Column(columns.Propensity, row => row.LetThrough?.Propensity ?? double.NaN).ConfigureAwait(false);
            await group.WriteAsync<float>(columns.Weight, weights.AsMemory(from..end), cancellationToken: cancellationToken).ConfigureAwait(false);
            for (var k = 0; k < columns.Keys.Length; k++) await Column(columns.Keys[k], row => unchecked((long)row.Entities[k])).ConfigureAwait(false);
            for (var f = 0; f < columns.Features.Length; f++) await Column(columns.Features[f], row => row.Vector[f]).ConfigureAwait(false);

            Task Column<T>(DataField<T> field, Func<LoggedAttempt, T> value) where T : struct => group.WriteAsync<T>(field, Array.ConvertAll(rows, row => value(row)), cancellationToken: cancellationToken);
        }
    }

    /// <summary>Rows to learn from, weighed by <see cref="ObservedOutcomes"/>. An attempt nobody complained about counts as honest once complaints had time to come; younger ones are left out, and those that were given nothing and judged by nobody.</summary>
    /// <param name="labelDelay">The time that complaints take, at most.</param>
    /// <exception cref="InvalidDataException">Written under another layout, or no data set of this form.</exception>
    public static async Task<DataSet> ReadAsync(Stream stream, TimeSpan labelDelay, CancellationToken cancellationToken)
    {
        await using var reader = await ParquetReader.CreateAsync(stream, cancellationToken: cancellationToken).ConfigureAwait(false);
        if (!reader.CustomMetadata.TryGetValue(LayoutKey, out var layout) || !reader.CustomMetadata.TryGetValue(UntilKey, out var until)) throw new InvalidDataException("The Parquet file is no data set: promotions-ml dataset writes them.");
        if (!reader.Schema.DataFields.Any(field => field.Name == WeightName)) throw new InvalidDataException($"The data set is of an earlier build: it does not say whose outcome was seen (column '{WeightName}'). Make it again from the log.");
        if (layout != Layout) throw new InvalidDataException($"The data set has the feature layout {layout}; this build has {Layout}. Make it again from the log.");
        var mature = new EventTime(long.Parse(until, CultureInfo.InvariantCulture)).Plus(-labelDelay);
        var columns = new Columns();
        var (keys, features) = (columns.Keys, columns.Features);
        var rows = new List<TrainingRow>();
        for (var g = 0; g < reader.RowGroupCount; g++)
        {
            using var group = reader.OpenRowGroupReader(g);
            var count = checked((int)group.RowCount);
            var at = await Column(columns.At).ConfigureAwait(false);
            var abuse = await Column(columns.Abuse).ConfigureAwait(false);
            var weight = await Column(columns.Weight).ConfigureAwait(false);
            var (entities, values) = (new long[keys.Length][], new float[features.Length][]);
            for (var k = 0; k < keys.Length; k++) entities[k] = await Column(keys[k]).ConfigureAwait(false);
            for (var f = 0; f < features.Length; f++) values[f] = await Column(features[f]).ConfigureAwait(false);
            for (var i = 0; i < count; i++)
                if (weight[i] > 0 && (abuse[i] >= 0 || at[i] < mature.UnixMilliseconds))
                    rows.Add(new([.. values.Select(column => column[i])], abuse[i] == 1, weight[i], new(at[i]), [.. entities.Select(column => unchecked((ulong)column[i]))]));

            async Task<T[]> Column<T>(DataField<T> field) where T : struct
            {
                var column = new T[count];
                await group.ReadAsync<T>(field, column.AsMemory(), cancellationToken: cancellationToken).ConfigureAwait(false);
                return column;
            }
        }
        return new(FeatureRegistry.LayoutHash, [.. FeatureRegistry.Features.Select(f => f.Name)], "replay of the log, labels as they had arrived", 0, rows);
    }

    /// <summary>What each feature column is, for people and programs.</summary>
    public static byte[] Registry() => JsonSerializer.SerializeToUtf8Bytes(new
    {
        Layout,
        Features = FeatureRegistry.Features.Select(f => new { f.Name, Entity = f.Entity.ToString(), Unit = f.Unit.ToString(), WindowMs = f.Window, Measure = f.Measure.ToString(), Exactness = f.Exactness.ToString(), f.Description, f.Absent, f.Late }),
    }, Json);

    private static string Layout => FeatureRegistry.LayoutHash.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Of one file: the library ties a field to the schema that it was put in.</summary>
    private sealed class Columns
    {
        public Columns() => Schema = new([Id, Position, At, Abuse, LabelAt, Source, Status, Propensity, Weight, .. Keys, .. Features]);

        public DataField<string> Id { get; } = new("redemption_id");
        public DataField<long> Position { get; } = new("position");
        public DataField<long> At { get; } = new("at_ms");
        public DataField<int> Abuse { get; } = new("abuse");
        public DataField<long> LabelAt { get; } = new("label_at_ms");
        public DataField<string> Source { get; } = new("label_source");
        public DataField<string> Status { get; } = new("status");
        public DataField<double> Propensity { get; } = new("propensity");
        public DataField<float> Weight { get; } = new(WeightName);
        public DataField<long>[] Keys { get; } = [.. Entities.Kinds.Select(kind => new DataField<long>($"key_{JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString())}"))];
        public DataField<float>[] Features { get; } = [.. FeatureRegistry.Features.Select(f => new DataField<float>(f.Name))];
        public ParquetSchema Schema { get; }
    }
}
