using System.Globalization;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Simulation;
using Promotions.Simulation.Abuse;

namespace Promotions.Server;

/// <summary>A shop with a past of 60 days, loaded once through the same topology and ledger; then its shoppers and abusers go on live.</summary>
internal sealed class DemoShop : IAsyncDisposable
{
    private const string Scope = "demo";
    private const string Loading = "loading";
    private const string LoadedUntil = "loaded_until";
    private const ulong Seed = 20_261;        // not the training's: the shipped model has never seen these people
    private const int Days = 60;

    /// <summary>The simulated shops capture when they pack, up to 30 hours after the order; the default of 30 minutes is for shops that capture at the till.</summary>
    public static readonly TimeSpan HoldFor = TimeSpan.FromHours(36);

    private readonly SimulatedRetailer _retailer;
    private readonly SimulationFeeder _feeder;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private Task _live = Task.CompletedTask;

    private DemoShop(SimulatedRetailer retailer, SimulationFeeder feeder, TimeProvider time, ILogger logger) => (_retailer, _feeder, _time, _logger) = (retailer, feeder, time, logger);

    /// <summary>An empty ledger that gets a past must not hold anything of today before it: its clock never runs backwards.</summary>
    public static void SetOut(DataFolder folder, SteerableClock clock)
    {
        if (!File.Exists(folder.LedgerFile)) clock.Steer(clock.WallNow.AddDays(-Days - 1));
    }

    /// <summary>Loads the past on the first start, with a progress bar; later starts go on from now.</summary>
    /// <returns>Null when nobody is to go on (<c>--rate 0</c>).</returns>
    public static async Task<DemoShop?> OpenAsync(DecisionSystem system, ServerOptions options, SteerableClock clock, ILogger logger, CancellationToken cancellationToken)
    {
        var now = EventTime.From(clock.WallNow);
        var simulation = new SimulationOptions
        {
            Seed = Seed,
            Start = now.Plus(TimeSpan.FromDays(-Days)),
            Until = now,
            Scenarios = Scenarios(options.ScenarioFile),
        };
        if (system.Ledger.Find(Scope, LoadedUntil) is not null) return Resume(system, simulation, options, clock, now, logger);
        if (system.Ledger.Find(Scope, Loading) is not null)
            throw new StartRefusedException($"Loading the demonstration's past was interrupted, and a half past misleads. Remove {options.DataPath}, or start with --no-demo to keep what is there.");
        if (system.Ledger.Reader.LastLogPosition > 0) return null;       // a ledger with a life of its own gets no demonstration
        return await OpenNewAsync(system, simulation, options, clock, now, logger, cancellationToken);
    }

    private static async Task<DemoShop?> OpenNewAsync(
        DecisionSystem system, SimulationOptions simulation, ServerOptions options, SteerableClock clock, EventTime now, ILogger logger, CancellationToken cancellationToken)
    {
        await system.Ledger.PutAsync(Scope, Loading, now.ToString(), Actor.System, cancellationToken);
        var retailer = new SimulatedRetailer(simulation);
        var feeder = new SimulationFeeder(retailer, system.Gateway, system.Ledger);
        await LoadAsync(retailer.Start, feeder, now, clock, cancellationToken);
        await system.Ledger.PutAsync(Scope, LoadedUntil, now.ToString(), Actor.System, cancellationToken);
        if (options.Rate <= 0) return null;
        retailer.GoLive(EventTime.Now(clock), options.Rate);
        return new(retailer, feeder, clock, logger);
    }

    /// <summary>Starts the live traffic; it ends with this object.</summary>
    public void GoLive() => _live = Task.Run(() => RunAsync(_stop.Token));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _live;
        _stop.Dispose();
    }

    private static DemoShop? Resume(DecisionSystem system, SimulationOptions simulation, ServerOptions options, SteerableClock clock, EventTime now, ILogger logger)
    {
        if (options.Rate <= 0) return null;
        var prefix = string.Create(CultureInfo.InvariantCulture, $"s{now.UnixMilliseconds / 1000 % 100_000_000}-");       // another session's customers and ids
        var retailer = SimulatedRetailer.Resume(simulation with { IdPrefix = prefix }, now, options.Rate);
        return new(retailer, new SimulationFeeder(retailer, system.Gateway, system.Ledger), clock, logger);
    }

    private static async Task LoadAsync(EventTime start, SimulationFeeder feeder, EventTime until, SteerableClock clock, CancellationToken cancellationToken)
    {
        var bar = new ProgressBar("loading the demonstration's past", Console.Out, !Console.IsOutputRedirected, clock);
        var events = 0;
        var span = (double)(until.UnixMilliseconds - start.UnixMilliseconds);
        try
        {
            while (await feeder.StepAsync(cancellationToken) is { } sent)
            {
                clock.Steer(sent.At.ToDateTimeOffset());
                if (++events % 500 == 0) bar.Report((sent.At.UnixMilliseconds - start.UnixMilliseconds) / span, string.Create(CultureInfo.InvariantCulture, $"{events:#,0} events, {sent.At.ToDateTimeOffset():yyyy-MM-dd}"));
            }

            bar.Report(1, string.Create(CultureInfo.InvariantCulture, $"{events:#,0} events"));
        }
        finally
        {
            clock.Release();
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (_retailer.PeekTime() is { } next)
            {
                var wait = next.ToDateTimeOffset() - _time.GetUtcNow();
                if (wait > TimeSpan.Zero)
                {
                    await _feeder.DrainAsync();
                    await Task.Delay(wait, _time, cancellationToken);
                }

                await _feeder.StepAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The system stops.
        }
        catch (Exception fault)
        {
            ServerLog.DemoFault(_logger, fault);
        }
    }

    private static IReadOnlyList<Scenario>? Scenarios(string? file)
    {
        if (file is null) return null;
        try
        {
            return [.. ScenarioReader.Shipped, ScenarioReader.Parse(File.ReadAllText(file), file)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ScenarioFormatException)
        {
            throw new StartRefusedException($"The scenario {file} cannot be used: {e.Message}", e);
        }
    }
}
