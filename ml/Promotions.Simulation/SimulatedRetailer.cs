using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Simulation.Abuse;
using Promotions.Simulation.Shop;

namespace Promotions.Simulation;

/// <summary>A shop with honest customers and abusers, as one stream in order of time that reacts to decisions.</summary>
public sealed partial class SimulatedRetailer : ISimulation
{
    /// <summary>Attempts of a member on an average day, for <see cref="GoLive"/>.</summary>
    public const double AttemptsPerCustomerDay = 0.028;

    private const int CustomersMax = 20_000_000;
    private const double RingPopulation = 10_000;

    private readonly SimulationOptions _options;
    private readonly IReadOnlyList<Scenario> _scenarios;
    private readonly EventTime _start;
    private readonly Population _population;
    private readonly Assortment _assortment;
    private readonly ShopCampaigns _campaigns;
    private readonly EventFactory _events;
    private readonly PriorityQueue<Intent, (long At, long Number)> _intents = new();
    private readonly Queue<SimulatedEvent> _ready = new();
    private readonly Dictionary<string, Pending> _pending = new(StringComparer.Ordinal);
    private readonly Dictionary<int, CustomerState> _states = [];
    private long _intentNumber;
    private long _endMs;
    private long _lastMs;
    private int _customers;
    private bool _live;

    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public SimulatedRetailer(SimulationOptions options)
    {
        _options = options.Checked();
        _scenarios = options.Scenarios ?? ScenarioReader.Shipped;
        _start = new(options.Start.UnixMilliseconds - (options.Start.UnixMilliseconds % ShopCalendar.DayMs));
        _endMs = options.Until?.UnixMilliseconds ?? (options.Days is { } days ? _start.Plus(TimeSpan.FromDays(days)).UnixMilliseconds : long.MaxValue);
        _population = new(options, _start);
        _assortment = new(options.Seed);
        _campaigns = new(options, _start);
        _events = new(options.ApiKeyId);
        _customers = options.Customers;
        _lastMs = _start.UnixMilliseconds;

        Plan(_lastMs, new Intent.Open());
        for (var cycle = 0; cycle < _campaigns.Comeback.Count; cycle++) Plan(_campaigns.Comeback[cycle].StartsAt.UnixMilliseconds, new Intent.Mail(cycle));
        for (var i = 0; i < options.Customers; i++)
            if (_population.IsNewcomer(i)) Plan(_population.RegisteredMs(i) + Draws.For(options.Seed, Purpose.Visit, i, -1).Between(60_000L, 2_400_000L), new Intent.Visit(i));
        Plan(_lastMs, new Intent.Hour());
    }

    /// <summary>Midnight UTC of the first day.</summary>
    public EventTime Start => _start;

    /// <summary>The campaigns whose effect is known: those with a control group.</summary>
    public IReadOnlyList<Campaign> MeasuredCampaigns => [_campaigns.Season, .. _campaigns.Comeback];

    /// <summary>A shop that goes on after a restart: with the options of before the same people, codes and plan of visits; nothing of the past is given out. What its customers had
    /// tried is forgotten, and so is what waited for a decision.</summary>
    /// <inheritdoc cref="GoLive" path="/exception"/>
    public static SimulatedRetailer Resume(SimulationOptions options, EventTime now, double attemptsPerSecond)
    {
        var retailer = new SimulatedRetailer(options);
        retailer._intents.Clear();
        for (var cycle = 0; cycle < retailer._campaigns.Comeback.Count; cycle++)
            if (retailer._campaigns.Comeback[cycle].StartsAt > now) retailer.Plan(retailer._campaigns.Comeback[cycle].StartsAt.UnixMilliseconds, new Intent.Mail(cycle));
        retailer.GoLive(now, attemptsPerSecond);
        return retailer;
    }

    /// <summary>Goes on for ever from <paramref name="now"/>, in real time: walk-ins join until about <paramref name="attemptsPerSecond"/> come, so that each person still acts
    /// at a person's pace. Decisions settle within seconds. Planned events of before are let go.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The rate is not above 0, or needs more than 20,000,000 customers (about 6 a second).</exception>
    public void GoLive(EventTime now, double attemptsPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(attemptsPerSecond);
        var needed = attemptsPerSecond * 86_400 / AttemptsPerCustomerDay;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(needed, CustomersMax, nameof(attemptsPerSecond));
        _customers = Math.Max((int)needed, 10);
        _live = true;
        _endMs = long.MaxValue;
        _lastMs = Math.Max(_lastMs, now.UnixMilliseconds);

        // What waits for a decision stays; the history's own plan of hours ends here and the live one begins.
        var kept = _intents.UnorderedItems.Where(item => item.Element is not Intent.Hour && (item.Priority.At >= _lastMs || item.Element is Intent.Settle)).ToArray();
        _intents.Clear();
        foreach (var (intent, priority) in kept) _intents.Enqueue(intent, (Math.Max(priority.At, _lastMs), priority.Number));
        Plan(_lastMs, new Intent.Hour());
    }

    public Pull TryNext(out SimulatedEvent? next)
    {
        while (!_ready.TryDequeue(out next))
        {
            if (!_intents.TryPeek(out var intent, out var when) || when.At >= _endMs) return Pull.End;
            if (intent is Intent.Settle { Pending.Feedback: null }) return Pull.AwaitingFeedback;
            _intents.Dequeue();
            _lastMs = when.At;
            Act(intent, when.At);
        }

        return Pull.Event;
    }

    public EventTime? PeekTime() => _ready.TryPeek(out var ready) ? ready.At : _intents.TryPeek(out _, out var when) && when.At < _endMs ? new EventTime(when.At) : null;

    public void Observe(DecisionFeedback feedback)
    {
        if (!_pending.Remove(feedback.RedemptionId, out var pending)) throw new ArgumentException($"No attempt {feedback.RedemptionId} awaits its decision.", nameof(feedback));
        pending.Feedback = feedback;
    }

    private void Act(Intent intent, long at)
    {
        switch (intent)
        {
            case Intent.Give give: _ready.Enqueue(give.Event); break;
            case Intent.Hour: PlanHour(at); break;
            case Intent.Visit visit: Visit(visit.Customer, at); break;
            case Intent.Attempt attempt: Ask(attempt.Pending, at); break;
            case Intent.RingAct act: Act(act.Account, act.Number, at); break;
            case Intent.RingForms forms: Form(forms.Ring); break;
            case Intent.Settle settle: Settle(settle.Pending, at); break;
            case Intent.Mail mail: _ready.Enqueue(new CouponsAdded(new(at), _campaigns.ComebackCoupons(mail.Cycle, _population))); break;
            case Intent.Open:
                _ready.Enqueue(new CampaignsDefined(new(at), _campaigns.All));
                _ready.Enqueue(new CouponsAdded(new(at), _campaigns.OpeningCoupons(_population.Mailed)));
                break;
            default: throw new InvalidOperationException($"Nobody acts on {intent.GetType().Name}.");
        }
    }

    private void Plan(long at, Intent intent) => _intents.Enqueue(intent, (at, _intentNumber++));

    /// <summary>Who visits in the hour that <paramref name="at"/> lies in, from then on. One keyed draw a customer: nobody's visits depend on anybody else's.</summary>
    private void PlanHour(long at)
    {
        var hour = at - (at % ShopCalendar.HourMs);
        var day = hour - (hour % ShopCalendar.DayMs);
        var share = ShopCalendar.ShareOfHour((int)((hour - day) / ShopCalendar.HourMs));
        if (_live) share = (0.25 * share) + (0.75 / 24);   // a demonstration is looked at in the night, too
        var factor = share * ShopCalendar.Factor(day);
        var hourKey = Draws.Key(_options.Seed, Purpose.Visits, hour);
        var chanceMax = factor * Population.VisitsPerDayMax * LiftMax;
        for (var i = 0; i < _customers; i++)
        {
            var unit = Draws.Unit(Draws.Below(hourKey, i));
            if (unit >= chanceMax) continue;   // most: without a look at who it is
            var own = factor * _population.VisitsPerDay(i);
            if (_states.TryGetValue(i, out var state)) own *= state.VisitLift(hour);
            if (unit >= own) continue;
            var visitAt = hour + Draws.For(_options.Seed, Purpose.Visit, i, hour).Between(0L, ShopCalendar.HourMs - 1);
            if (visitAt >= at && _population.RegisteredMs(i) <= hour) Plan(visitAt, new Intent.Visit(i));
        }

        for (var s = 0; s < _scenarios.Count; s++) PlanRings(s, hour, at);
        Plan(hour + ShopCalendar.HourMs, new Intent.Hour());
    }

    private void PlanRings(int scenario, long hour, long from)
    {
        var draws = Draws.For(_options.Seed, Purpose.RingStart, scenario, hour);
        var count = draws.Poisson(_scenarios[scenario].RingsPerMonth * (_customers / RingPopulation) / (30 * 24));
        for (var i = 0; i < count; i++)
        {
            var at = hour + draws.Between(0L, ShopCalendar.HourMs - 1);
            var number = (long)(draws.Next() >> 2);
            if (at >= from) Plan(at, new Intent.RingForms(new(_scenarios[scenario], _options.Seed, number, at, _options.IdPrefix)));
        }
    }

    private void Form(Ring ring)
    {
        for (var i = 0; i < ring.AccountCount; i++)
        {
            var account = ring.Account(i);
            Plan(account.FirstMs, new Intent.RingAct(account, 0));
        }
    }

    /// <summary>Gives an attempt out and waits for its decision.</summary>
    private void Ask(Pending pending, long at)
    {
        var request = pending.Request with { At = new(at) };
        pending.Request = request;
        _pending.Add(request.Id, pending);
        _ready.Enqueue(new RedemptionAttempted(new(at), request, pending.Truth));
        var draws = Draws.For(pending.Key, Purpose.Settle, 0);
        var (min, max) = _live ? (2_000, 30_000) : ((long)_options.SettleAfterMin.TotalMilliseconds, (long)_options.SettleAfterMax.TotalMilliseconds);
        Plan(at + draws.Between(min, max), new Intent.Settle(pending));
    }

    private CustomerState StateOf(int customer)
    {
        if (!_states.TryGetValue(customer, out var state)) _states.Add(customer, state = new());
        return state;
    }

    private string Id(string kind, int customer, long at, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{_options.IdPrefix}{kind}-{customer:000000}-{(at - _start.UnixMilliseconds) / 1_000}-{number}");

    /// <summary>What will happen.</summary>
    private abstract record Intent
    {
        public sealed record Open : Intent;
        public sealed record Hour : Intent;
        public sealed record Mail(int Cycle) : Intent;
        public sealed record Visit(int Customer) : Intent;
        public sealed record Attempt(Pending Pending) : Intent;
        public sealed record RingForms(Ring Ring) : Intent;
        public sealed record RingAct(RingAccount Account, int Number) : Intent;
        public sealed record Settle(Pending Pending) : Intent;
        public sealed record Give(SimulatedEvent Event) : Intent;
    }

    /// <summary>An attempt and what waits for its decision.</summary>
    /// <param name="customer">Index of an honest customer; −1 for a ring's account.</param>
    /// <param name="final">The last try of its visit: an order follows even when it is refused.</param>
    private sealed class Pending(RedemptionRequest request, Truth truth, ulong key, int customer, Scenario? scenario, bool final)
    {
        public RedemptionRequest Request { get; set; } = request;
        public Truth Truth { get; } = truth;
        public ulong Key { get; } = key;
        public int Customer { get; } = customer;
        public Scenario? Scenario { get; } = scenario;
        public bool Final { get; } = final;
        public DecisionFeedback? Feedback { get; set; }
    }
}
