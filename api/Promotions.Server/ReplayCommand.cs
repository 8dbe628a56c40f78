using System.Globalization;
using Promotions.Domain.Decisions;
using Promotions.Processing.Embedded;
using Promotions.Simulation.CompleteJourney;
using Promotions.Streams;

namespace Promotions.Server;

/// <summary><c>promotions replay completejourney</c>: a real grocer's year through the whole path, the clock following the records.</summary>
internal static class ReplayCommand
{
    public static async Task<int> RunAsync(ServerOptions options, string source, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(source)) throw new StartRefusedException($"The data set is not at {source}: use the copy in deploy/demo/completejourney.");
        var folder = DataFolder.Open(options.DataPath);
        using var claim = folder.Claim();
        using var loggers = LoggerFactory.Create(logging => logging.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning));
        var clock = new SteerableClock(time);
        clock.Steer(DateTimeOffset.UnixEpoch);       // the records' clock begins with the records
        await using var system = DecisionSystem.Open(folder, new Quiet(loggers.CreateLogger<DecisionSystem>()), clock, loggers.CreateLogger<DecisionSystem>(), DemoShop.HoldFor);
        if (system.Ledger.Reader.LastLogPosition > 0)
            throw new StartRefusedException($"The data folder {folder.Root} holds a replay already. Remove it, or set PROMOTIONS_REPLAY_DATA to another folder.");

        var started = time.GetTimestamp();
        var replay = new CompleteJourneyReplay(source);
        var report = new ReplayReport(replay);
        var feeder = new SimulationFeeder(replay, system.Gateway, system.Ledger)
        {
            Decided = (attempt, outcome) =>
            {
                if (outcome.Decision is { } decision) report.Add(attempt.Request.Id, decision.Status, decision.Refusal);
            },
        };
        var events = await SendAsync(replay, feeder, clock, time, cancellationToken);
        report.WriteTo(Console.Out);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{events:#,0} events in {time.GetElapsedTime(started).TotalSeconds:0.0} s. The ledger is in {folder.Root}."));
        return 0;
    }

    private static async Task<int> SendAsync(CompleteJourneyReplay replay, SimulationFeeder feeder, SteerableClock clock, TimeProvider time, CancellationToken cancellationToken)
    {
        var first = replay.PeekTime() ?? throw new InvalidOperationException("The data set holds nothing.");
        var year = TimeSpan.FromDays(365).TotalMilliseconds;
        var bar = new ProgressBar("replaying", Console.Out, !Console.IsOutputRedirected, time);
        var events = 0;
        while (await feeder.StepAsync(cancellationToken) is { } sent)
        {
            clock.Steer(sent.At.ToDateTimeOffset());
            if (++events % 200 == 0) bar.Report((sent.At.UnixMilliseconds - first.UnixMilliseconds) / year, sent.At.ToDateTimeOffset().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        }

        bar.Report(1, string.Create(CultureInfo.InvariantCulture, $"{events:#,0} events"));
        return events;
    }

    private sealed class Quiet(ILogger logger) : IRedemptionObserver
    {
        public void Decided(Decision decision, bool repeated, TimeSpan sinceAccepted) { }
        public void Stage(string stage, TimeSpan took, int records) { }
        public void DeadLettered(DeadLetter letter) => ServerLog.DeadLettered(logger, letter.Topic, letter.Id, letter.Reason);
        public void Faulted(string what, Exception fault) => ServerLog.PipelineFault(logger, fault, what);
        public void Replayed(long position, long lastPosition) { }
    }
}
