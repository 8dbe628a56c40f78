using System.Text.Json;
using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Processing.Records;
using Promotions.Simulation;

namespace Promotions.Training.Tests;

public class LogDataSetTests
{
    private static readonly EventTime Start = EventTime.From(new DateTimeOffset(2026, 1, 5, 0, 0, 0, TimeSpan.Zero));
    private static readonly EventTime End = Start.Plus(TimeSpan.FromDays(400));
    private static readonly Lazy<SimulatedLog> Shop = new(() => SimulatedLog.Create(new() { Seed = 77, Start = Start, Days = 12 }));

    [Fact]
    public void Whatever_happens_to_the_future_no_earlier_vector_changes()
    {
        var log = Shop.Value.Records;
        var now = log.Count / 2;
        var before = Vectors(log, now);
        Assert.True(before.Count > 100, $"{before.Count} attempts");
        Assert.Contains(log.Skip(now), record => record.Topic == Topics.Labels);

        var future = log.Skip(now).ToArray();
        new Random(3).Shuffle(future);
        foreach (var changed in new LogRecord[][] { [], future, [.. future.Select(Turned)], [.. future.Where(record => record.Topic != Topics.Requests)] })
            Assert.Equal(before, Vectors([.. log.Take(now), .. changed], now));

        // And it is the order that protects them: the same records put before the attempts do change vectors.
        Assert.NotEqual(before, Vectors([.. future.Where(record => record.Topic == Topics.Labels).Select(record => record with { Position = 0, At = Start }), .. log.Take(now)], now));
    }

    [Fact]
    public void A_label_joins_the_row_when_it_has_arrived_and_not_before()
    {
        var log = Shop.Value.Records;
        var place = log.ToList().FindIndex(record => record.Topic == Topics.Labels);
        var label = RecordCodec.DecodeLabel(log[place].Value.Span);
        var without = Read(log.Take(place)).Rows.Single(row => row.RedemptionId == label.RedemptionId);
        var with = Read(log.Take(place + 1)).Rows.Single(row => row.RedemptionId == label.RedemptionId);
        Assert.Null(without.Abuse);
        Assert.Equal((label.Abuse, label.At, label.Source), (with.Abuse, with.LabelAt, with.LabelSource));
        Assert.Equal(without.Vector, with.Vector);
    }

    [Fact]
    public void Rows_are_those_of_the_period_with_the_history_before_it()
    {
        var whole = Read(Shop.Value.Records).Rows;
        var (from, to) = (Start.Plus(TimeSpan.FromDays(6)), Start.Plus(TimeSpan.FromDays(8)));
        var part = LogDataSet.Read(Shop.Value.Records, Shop.Value.Checkout, _ => null, from, to).Rows;
        Assert.Equal(whole.Where(row => row.At >= from && row.At < to).Select(row => (row.RedemptionId, FeatureVector.Hash(row.Vector))), part.Select(row => (row.RedemptionId, FeatureVector.Hash(row.Vector))));
        Assert.NotEmpty(part);
    }

    [Fact]
    public void Repeated_attempts_and_labels_out_of_place_are_counted_and_not_used()
    {
        var log = Shop.Value.Records.Take(2_000).ToList();
        var request = log.First(record => record.Topic == Topics.Requests && Kind(record) == AttemptKind.Redemption);
        var attempt = ObservedRequest.Decode(request.Value.Span);
        var early = new LabelRecorded("l-1", attempt.Request.Id, true, "review", null, "anna", attempt.Request.At.Plus(-TimeSpan.FromHours(1)), attempt.Entities);
        var stray = early with { Id = "l-2", RedemptionId = "nobody", At = attempt.Request.At };
        log.Add(request);
        foreach (var label in new[] { early, stray }) log.Add(new(0, Topics.Labels, label.Id, RecordCodec.Encode(label), label.At, 0));
        var read = Read(log);
        Assert.Equal((1, 1, 1), (read.Findings.Repeated, read.Findings.LabelsBeforeTheirAttempt, read.Findings.LabelsOfNothing));
        Assert.Null(Assert.Single(read.Rows, row => row.RedemptionId == attempt.Request.Id).Abuse);
    }

    [Fact]
    public async Task Parquet_gives_back_what_was_written_and_leaves_the_undecided_out()
    {
        var data = Read(Shop.Value.Records);
        using var file = new MemoryStream();
        await ParquetDataSet.WriteAsync(file, data, CancellationToken.None);
        file.Position = 0;
        var delay = TimeSpan.FromDays(5);
        var read = await ParquetDataSet.ReadAsync(file, delay, CancellationToken.None);
        read.Validate();
        var expected = data.Rows.Where(row => row.Abuse is not null || row.At < data.Until.Plus(-delay)).ToList();
        Assert.InRange(expected.Count, 1, data.Rows.Count - 1);
        Assert.Equal(
            expected.Select(row => (FeatureVector.Hash(row.Vector), row.Abuse == true, row.At, string.Join(' ', row.Entities))),
            read.Rows.Select(row => (FeatureVector.Hash(row.Vector), row.Abuse, row.At, string.Join(' ', row.Entities!))));

        using var registry = JsonDocument.Parse(ParquetDataSet.Registry());
        Assert.Equal(read.Features, registry.RootElement.GetProperty("features").EnumerateArray().Select(f => f.GetProperty("name").GetString()!));
    }

    [Fact]
    public async Task The_file_says_whose_outcome_was_seen_and_rows_are_read_with_that_weight()
    {
        var (draw, data) = (new LetThroughDraw(0.1, true, 100, 1_000), Read(Shop.Value.Records));
        LoggedAttempt[] rows = [.. data.Rows.Take(4)];
        rows[0] = rows[0] with { Abuse = null, Status = RedemptionStatus.Approved, LetThrough = draw };
        rows[1] = rows[1] with { Abuse = null, Status = RedemptionStatus.Blocked, LetThrough = draw with { Drawn = false } };
        rows[2] = rows[2] with { Abuse = true, Status = RedemptionStatus.Blocked, LetThrough = draw with { Drawn = false } };
        rows[3] = rows[3] with { Abuse = false, Status = RedemptionStatus.Rejected };
        using var file = new MemoryStream();
        await ParquetDataSet.WriteAsync(file, data with { Rows = rows }, TestContext.Current.CancellationToken);
        file.Position = 0;
        var read = await ParquetDataSet.ReadAsync(file, TimeSpan.Zero, TestContext.Current.CancellationToken);
        var half = (float)(1 / (0.1 + (0.9 * 0.5)));
        Assert.Equal([(false, half), (true, half), (false, 1f)], read.Rows.Select(row => (row.Abuse, row.Weight)));

        file.Position = 0;
        await using var parquet = await Parquet.ParquetReader.CreateAsync(file, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Empty(new[] { "status", "propensity", "weight" }.Except(parquet.Schema.DataFields.Select(field => field.Name)));
    }

    private static LogDataSet Read(IEnumerable<LogRecord> log) => LogDataSet.Read(log, Shop.Value.Checkout, _ => null, Start, End);

    private static AttemptKind Kind(LogRecord record) => ObservedRequest.Decode(record.Value.Span).Request.Kind;

    private static LogRecord Turned(LogRecord record)
    {
        if (record.Topic != Topics.Labels) return record;
        var label = RecordCodec.DecodeLabel(record.Value.Span);
        return record with { Value = RecordCodec.Encode(label with { Abuse = !label.Abuse }) };
    }

    private static Dictionary<string, ulong> Vectors(IEnumerable<LogRecord> log, long upTo) =>
        Read(log).Rows.Where(row => row.Position > 0 && row.Position <= upTo).ToDictionary(row => row.RedemptionId, row => FeatureVector.Hash(row.Vector));
}
