using System.Globalization;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Processing;
using Promotions.Simulation;
using Promotions.Simulation.Abuse;

namespace Promotions.Server;

/// <summary>A shop with a past of 60 days, loaded once through the same topology and ledger; then its shoppers and abusers go on live, after a restart too.</summary>
internal sealed class DemoShop : IAsyncDisposable
{
    private const string Scope = "demo";
    private const string LoadedUntil = "loaded_until";
    private const ulong Seed = 20_261;        // not the training's: the shipped model has never seen these people
    private const int Customers = 20_000;

    /// <summary>Live days that the campaigns' budgets are for: after as many the season has ended anyway.</summary>
    private const int BudgetDays = 60;

    /// <summary>The simulated shops capture when they pack, up to 30 hours after the order; the default of 30 minutes is for shops that capture at the till.</summary>
    public static readonly TimeSpan HoldFor = TimeSpan.FromHours(36);

    private readonly SimulatedRetailer _retailer;
    private readonly SimulationFeeder _feeder;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private Task _live = Task.CompletedTask;

    private DemoShop(SimulatedRetailer retailer, SimulationFeeder feeder, TimeProvider time, ILogger logger) => (_retailer, _feeder, _time, _logger) = (retailer, feeder, time, logger);

    /// <summary>Before the ledger is opened: its clock never runs backwards, so nothing of today may be written before the past is. The mark outlives a kill, and the next start goes on.</summary>
    public static void SetOut(DataFolder folder, ServerOptions options, SteerableClock clock)
    {
        if (!options.Demo) File.Delete(folder.DemoMark);       // what is there so far becomes a ledger with a life of its own
        else if (!File.Exists(folder.LedgerFile)) File.WriteAllText(folder.DemoMark, EventTime.From(clock.WallNow).ToString());
        if (File.Exists(folder.DemoMark)) clock.Steer(Read(File.ReadAllText(folder.DemoMark)).ToDateTimeOffset().AddDays(-options.DemoDays - 1));
    }

    /// <summary>Loads the past on the first start, with a progress bar, or what an interrupted load left out; later starts go on from now.</summary>
    /// <returns>Null when nobody is to go on (<c>--rate 0</c>), or the ledger has a life of its own.</returns>
    public static async Task<DemoShop?> OpenAsync(DecisionSystem system, DataFolder folder, ServerOptions options, SteerableClock clock, ILogger logger, CancellationToken cancellationToken)
    {
        if (system.Ledger.Find(Scope, LoadedUntil) is { } until)
        {
            File.Delete(folder.DemoMark);
            clock.Release();
            return GoOn(system.Ledger, system.Gateway, Simulation(options, Read(until)), options, clock, logger);
        }

        if (!File.Exists(folder.DemoMark)) return null;
        var end = Read(await File.ReadAllTextAsync(folder.DemoMark, cancellationToken));
        var interrupted = system.Ledger.Reader.LastLogPosition > 0;
        var retailer = new SimulatedRetailer(Simulation(options, end));
        var feeder = new SimulationFeeder(retailer, system.Gateway, system.Ledger);
        // The same shop again from its first day: what is recorded is answered from the ledger, and changes nothing.
        await LoadAsync(interrupted ? "going on with the demonstration's past" : "loading the demonstration's past", retailer.Start, feeder, end, clock, cancellationToken);
        await system.Ledger.PutAsync(Scope, LoadedUntil, end.ToString(), Actor.System, cancellationToken);
        File.Delete(folder.DemoMark);
        if (options.Rate <= 0) return null;
        retailer.GoLive(EventTime.Now(clock), options.Rate);
        return new(retailer, feeder, clock, logger);
    }

    /// <summary>A shop without a past, on a ledger that other processes share: its campaigns and coupons on the first start, then its shoppers and abusers.</summary>
    /// <returns>Null when nobody is to go on (<c>--rate 0</c>).</returns>
    public static async Task<DemoShop?> OpenLiveAsync(ILedger ledger, ISettingsStore settings, IRedemptionGateway gateway, ServerOptions options, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        if (settings.Find(Scope, LoadedUntil) is { } until) return GoOn(ledger, gateway, Simulation(options, Read(until)), options, time, logger);
        var retailer = new SimulatedRetailer(Simulation(options, EventTime.Now(time).Plus(TimeSpan.FromDays(options.DemoDays))));
        var feeder = new SimulationFeeder(retailer, gateway, ledger);
        while (retailer.PeekTime() == retailer.Start && await feeder.StepAsync(cancellationToken) is not CouponsAdded) { }
        await settings.PutAsync(Scope, LoadedUntil, retailer.Start.Plus(TimeSpan.FromDays(options.DemoDays)).ToString(), Actor.System, cancellationToken);
        if (options.Rate <= 0) return null;
        retailer.GoLive(EventTime.Now(time), options.Rate);
        return new(retailer, feeder, time, logger);
    }

    /// <summary>The shop whose past ends at <paramref name="until"/>: the same, whenever it is opened.</summary>
    internal static SimulationOptions Simulation(ServerOptions options, EventTime until)
    {
        // Live, as many more people come as the rate says; budgets that were meant for the past alone would be spent within the hour.
        var past = Customers * SimulatedRetailer.AttemptsPerCustomerDay * options.DemoDays;
        var live = Math.Max(0, options.Rate) * 86_400 * BudgetDays;
        return new()
        {
            Seed = Seed,
            Customers = Customers,
            Start = until.Plus(TimeSpan.FromDays(-options.DemoDays)),
            Until = until,
            Scenarios = Scenarios(options.ScenarioFile),
            BudgetFactor = 1 + (2 * live / past),
        };
    }

    /// <summary>Starts the live traffic; it ends with this object.</summary>
    public void GoLive() => _live = Task.Run(() => RunAsync(_stop.Token));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _live;
        _stop.Dispose();
    }

    private static DemoShop? GoOn(ILedger ledger, IRedemptionGateway gateway, SimulationOptions simulation, ServerOptions options, TimeProvider time, ILogger logger)
    {
        if (options.Rate <= 0) return null;
        var retailer = SimulatedRetailer.Resume(simulation, EventTime.Now(time), options.Rate);
        return new(retailer, new SimulationFeeder(retailer, gateway, ledger), time, logger);
    }

    private static EventTime Read(string time) => EventTime.From(DateTimeOffset.Parse(time, CultureInfo.InvariantCulture));

    internal static async Task LoadAsync(string title, EventTime start, SimulationFeeder feeder, EventTime until, SteerableClock clock, CancellationToken cancellationToken)
    {
        var bar = new ProgressBar(title, Console.Out, !Console.IsOutputRedirected, clock);
        var events = 0;
        var span = (double)(until.UnixMilliseconds - start.UnixMilliseconds);
        try
        {
            while (await feeder.StepAsync(cancellationToken) is { } sent)
            {
                clock.Steer(sent.At.ToDateTimeOffset());
                CrashPoints.Hit("in_demo_load");
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
