using System.Globalization;
using Microsoft.Extensions.Logging;
using Promotions.Analytics.Results;
using Promotions.Analytics.Schema;
using Promotions.Ledger;

namespace Promotions.Analytics.Sink;

/// <summary>Follows the ledger's outbox into ClickHouse, each row exactly once, through crashes of either side.</summary>
/// <remarks>
/// A batch is named by its first and last position. The name is written to the ledger's settings before the first try, so that a retry, also
/// that of a new process, sends the very same rows under the same token, and ClickHouse drops what it has. The last statement of a batch
/// notes it in <c>sink_batches</c>: that table, not a cursor elsewhere, says how far ClickHouse is, so an emptied ClickHouse fills itself again.
/// </remarks>
public sealed class OutboxSink(
    ILedgerReader ledger, ISettingsStore settings, AnalyticsDatabase database, OutboxSinkOptions options, TimeProvider time, ILogger<OutboxSink> logger) : IDisposable
{
    public const string SettingsScope = "clickhouse-sink";
    private const string InFlightName = "in-flight";

    /// <summary>For processes that do not run the sink: the last position that it has tried to send. 0 when it never ran.</summary>
    /// <exception cref="InvalidOperationException">The setting is damaged.</exception>
    public static long LastSent(ISettingsStore settings) => InFlight.Parse(settings.Find(SettingsScope, InFlightName))?.Last ?? 0;
    private static readonly string CampaignSales = SqlText.Read("CampaignSales.sql");

    private readonly OutboxSinkOptions _options = options.Checked();
    private readonly SemaphoreSlim _alone = new(1, 1);
    private readonly OutboxBatches _batches = new(ledger, options.RowsMax, options.BytesMax);
    private long _position = -1;   // last position in ClickHouse; below 0: not asked yet

    /// <summary>Last outbox position that ClickHouse is known to hold.</summary>
    public long Position => Math.Max(0, Interlocked.Read(ref _position));

    /// <summary>Committed rows that ClickHouse does not hold yet.</summary>
    public long Behind => Math.Max(0, ledger.LastOutboxPosition - Position);

    /// <summary>Runs until cancelled. ClickHouse being away is waited out, with a growing pause.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var metrics = AnalyticsMetrics.ObserveSink(this);
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var started = time.GetTimestamp();
                var (rows, full) = await SendNextAsync(cancellationToken);
                failures = 0;
                if (full) continue;
                var pause = rows == 0 ? _options.IdlePoll : _options.PauseAfter(time.GetElapsedTime(started));
                if (pause > TimeSpan.Zero) await Task.Delay(pause, time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is AnalyticsUnavailableException or ClickHouse.Driver.ClickHouseServerException or LedgerFaultException or InvalidOperationException)
            {
                Interlocked.Exchange(ref _position, -1);   // whatever happened, ask ClickHouse how far it is
                AnalyticsMetrics.SinkFailures.Add(1);
                var pause = _options.RetryMax * Math.Min(1.0, Math.Pow(2, failures++) / 32);
                if (e is AnalyticsUnavailableException) AnalyticsLog.SinkWaits(logger, e.Message, Position, pause.TotalSeconds);
                else AnalyticsLog.SinkFailed(logger, e, pause.TotalSeconds);
                try
                {
                    await Task.Delay(pause, time, cancellationToken);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    /// <summary>Sends at most one batch.</summary>
    /// <returns>Its rows; 0 when ClickHouse holds everything committed.</returns>
    /// <exception cref="AnalyticsUnavailableException">ClickHouse did not answer; the batch will be sent again.</exception>
    public async Task<int> StepAsync(CancellationToken cancellationToken) => (await SendNextAsync(cancellationToken)).Rows;

    private async Task<(int Rows, bool Full)> SendNextAsync(CancellationToken cancellationToken)
    {
        await _alone.WaitAsync(cancellationToken);
        try
        {
            if (Interlocked.Read(ref _position) < 0) await StartAsync(cancellationToken);
            var (rows, full) = await NextBatchAsync();
            if (rows.Count == 0) return (0, false);
            if (full) _batches.ReadAhead(rows[^1].Position);
            await SendAsync(rows, cancellationToken);
            return (rows.Count, full);
        }
        finally
        {
            _alone.Release();
        }
    }

    /// <summary>Sends until ClickHouse holds what was committed at the time of the call.</summary>
    public async Task CatchUpAsync(IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var target = ledger.LastOutboxPosition;
        do
        {
            if (await StepAsync(cancellationToken) == 0) return;
            progress?.Report(Position);
        }
        while (Position < target);
    }

    /// <summary>Drops all of ClickHouse and fills it again from the ledger.</summary>
    public async Task RebuildAsync(IProgress<long>? progress, CancellationToken cancellationToken)
    {
        await _alone.WaitAsync(cancellationToken);
        try
        {
            Interlocked.Exchange(ref _position, -1);
            await AnalyticsSchema.DropAsync(database, cancellationToken);
        }
        finally
        {
            _alone.Release();
        }

        await CatchUpAsync(progress, cancellationToken);
    }

    public void Dispose() => _alone.Dispose();

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        await AnalyticsSchema.MigrateAsync(database, cancellationToken);
        var last = await database.QueryAsync("SELECT max(last) FROM $database.sink_batches", null, static row => Convert.ToInt64(row.GetValue(0), CultureInfo.InvariantCulture), cancellationToken);
        if (last[0] > ledger.LastOutboxPosition)
        {
            // Another ledger's rows, or this one's from before it was set back: not to be mixed.
            AnalyticsLog.SinkAhead(logger, last[0], ledger.LastOutboxPosition);
            await AnalyticsSchema.DropAsync(database, cancellationToken);
            await AnalyticsSchema.MigrateAsync(database, cancellationToken);
            last[0] = 0;
        }

        Interlocked.Exchange(ref _position, last[0]);
    }

    /// <summary>The batch written down, if ClickHouse has not confirmed it; else the next rows.</summary>
    private async Task<OutboxBatches.Batch> NextBatchAsync()
    {
        var after = Position;
        return InFlight.Parse(settings.Find(SettingsScope, InFlightName)) is { } inFlight && inFlight.First == after + 1
            ? _batches.ReadExactly(after, inFlight.Last)
            : await _batches.ReadAsync(after);
    }

    private async Task SendAsync(IReadOnlyList<OutboxEvent> rows, CancellationToken cancellationToken)
    {
        var (first, last) = (rows[0].Position, rows[^1].Position);
        if (first != Position + 1 || last != first + rows.Count - 1)
            throw new InvalidOperationException($"The outbox is not dense: asked for what lies after {Position}, got {rows.Count} rows from {first} to {last}.");

        var name = new InFlight(first, last).ToString();
        if (settings.Find(SettingsScope, InFlightName) != name)
            await settings.PutAsync(SettingsScope, InFlightName, name, Actor.System, cancellationToken);

        var started = time.GetTimestamp();
        await database.InsertAsync("outbox", OutboxRowStream.Columns, new OutboxRowStream(rows), Token("outbox", first, last), cancellationToken);
        if (rows.Any(static row => row.Type is OutboxTypes.Order or OutboxTypes.Return or OutboxTypes.Arm))
            await database.ExecuteAsync(CampaignSales, new Dictionary<string, object> { ["first"] = (ulong)first, ["last"] = (ulong)last }, Token("campaign_customer_sales", first, last), cancellationToken);
        var newest = rows.Max(static row => row.At);
        await database.ExecuteAsync(
            string.Create(CultureInfo.InvariantCulture, $"INSERT INTO $database.sink_batches (first, last, newest_at) VALUES ({first}, {last}, fromUnixTimestamp64Milli({newest.UnixMilliseconds}))"),
            null, Token("sink_batches", first, last), cancellationToken);

        Interlocked.Exchange(ref _position, last);
        AnalyticsMetrics.SinkRows.Add(rows.Count);
        AnalyticsMetrics.SinkBatchSeconds.Record(time.GetElapsedTime(started).TotalSeconds);
    }

    private static Dictionary<string, object> Token(string table, long first, long last) => new()
    {
        ["insert_deduplication_token"] = string.Create(CultureInfo.InvariantCulture, $"{table}:{first}:{last}"),
        ["deduplicate_blocks_in_dependent_materialized_views"] = 1,
        ["deduplicate_insert_select"] = "force_enable",
        // One block an insert, in one order: a token names blocks by number.
        ["max_insert_threads"] = 1,
        ["max_threads"] = 1,
        ["min_insert_block_size_rows"] = 1_048_576,
        ["min_insert_block_size_bytes"] = 1L << 30,
        ["max_insert_block_size"] = 1_048_576,
        ["max_partitions_per_insert_block"] = 0,   // a rebuild brings years at once
        ["throw_on_max_partitions_per_insert_block"] = 0,
    };

    private readonly record struct InFlight(long First, long Last)
    {
        public static InFlight? Parse(string? text)
        {
            if (text is null) return null;
            var dash = text.IndexOf('-', StringComparison.Ordinal);
            return dash > 0 && long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                && long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var last) && last >= first
                ? new InFlight(first, last)
                : throw new InvalidOperationException($"The setting {SettingsScope}/{InFlightName} is damaged: '{text}'. Rebuild ClickHouse.");
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{First}-{Last}");
    }
}
