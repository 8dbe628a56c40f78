using System.Text;
using Microsoft.Extensions.Logging;
using Promotions.Api.Observing;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Server.Metrics;
using Promotions.Server.Scaled;
using Promotions.Streams.Kafka;

namespace Promotions.Deploy.Tests;

/// <summary>What a pipeline process tells is in its metrics, its status and its log.</summary>
public class TelemetryTests
{
    private readonly Clock _clock = new();
    private readonly ApiMetrics _api = new();
    private readonly Lines _log = new();

    [Fact]
    public async Task Processed_records_and_how_late_outcomes_come_back_are_exported()
    {
        var telemetry = Telemetry();
        IKafkaDriverObserver driver = telemetry;
        driver.Processed(2, 40);
        driver.Processed(2, 2);
        Assert.Null(driver.OutcomeDelaySeconds);
        var asked = EventTime.Now(_clock);
        _clock.Pass(TimeSpan.FromSeconds(2));
        telemetry.Counted(FeedbackType.Outcome, asked);
        telemetry.Counted(FeedbackType.Label, asked);           // a label's delay is its reviewer's
        _clock.Pass(TimeSpan.FromSeconds(2));
        telemetry.Counted(FeedbackType.Outcome, asked);

        Assert.Equal(3, driver.OutcomeDelaySeconds);
        Assert.Equal(3, driver.OutcomeDelaySeconds);            // asked by the page and by scrapes
        var text = await ExportAsync();
        Assert.Contains("promotions_streams_records_total{sub_topology=\"2\"} 42", text, StringComparison.Ordinal);
        Assert.Contains("promotions_streams_outcome_delay_seconds_count 2", text, StringComparison.Ordinal);
        Assert.Contains("promotions_streams_outcome_delay_seconds_sum 6", text, StringComparison.Ordinal);
        _clock.Pass(2 * RecentMean.Span);
        Assert.Null(driver.OutcomeDelaySeconds);
    }

    [Fact]
    public void A_client_that_repeats_itself_does_not_fill_the_log()
    {
        IKafkaDriverObserver driver = Telemetry();
        for (var i = 0; i < 1_000; i++) driver.ClientSaid("broker down");
        Assert.Equal(ClientWarnings.Max, _log.Written.Count);
        _clock.Pass(ClientWarnings.Span);
        driver.ClientSaid("broker down");
        Assert.Contains($"{1_000 - ClientWarnings.Max} warnings", _log.Written[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_ledger_refused_is_in_the_log()
    {
        Telemetry().Refused("captures", LedgerRefusal.HoldExpired);
        Assert.Contains("captures: HoldExpired", Assert.Single(_log.Written), StringComparison.Ordinal);
    }

    private PipelineTelemetry Telemetry() => new(_api, new StreamsMetrics(_api.Registry, static () => null), _clock, _log);

    private async Task<string> ExportAsync()
    {
        using var stream = new MemoryStream();
        await _api.Registry.CollectAndExportAsTextAsync(stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Moved by the test.</summary>
    private sealed class Clock : TimeProvider
    {
        private DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        public void Pass(TimeSpan by) => _now += by;
        public override DateTimeOffset GetUtcNow() => _now;
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => _now.UtcTicks;
    }

    private sealed class Lines : ILogger<PipelineTelemetry>
    {
        public List<string> Written { get; } = [];
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Written.Add(formatter(state, exception));
    }
}
