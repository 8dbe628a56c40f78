using Promotions.Domain;
using Promotions.Features;
using Promotions.Streams;
using Promotions.Streams.State;

namespace Promotions.Processing.Topologies;

/// <summary>How long gather waits where hops are topics.</summary>
/// <param name="Patience">From a request's arrival at gather: parts that have not come by then are late, and the decision is made without them. Range: 1 ms to 10 s. Default 30 ms.</param>
/// <param name="Remember">How long a part is kept whose request is not known yet, and how long a request is remembered that went without its parts. Default 5 min: longer than a producer
/// tries to deliver a record.</param>
public sealed record GatherTimes(TimeSpan Patience, TimeSpan Remember)
{
    public static readonly GatherTimes Default = new(TimeSpan.FromMilliseconds(30), TimeSpan.FromMinutes(5));

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public GatherTimes Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Patience, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Patience, TimeSpan.FromSeconds(10));
        ArgumentOutOfRangeException.ThrowIfLessThan(Remember, Patience);
        return this;
    }
}

/// <summary>Puts a request's parts together, and lets a customer's requests go in the order in which they came, where hops are topics: a part may come before its request, long after it, or never.</summary>
/// <remarks>What is in flight is in a store, so that it moves and restarts with the partition. Who waits since when is in memory alone: patience begins anew with a new owner, for whom all
/// that lies unread is still to come.</remarks>
/// <param name="lookAhead">Told of each request as soon as it is known here.</param>
internal sealed class PatientGather(GatherTimes times, ICampaignLookAhead? lookAhead) : IProcessor<string, GatherRecord, string, GatheredRequest>
{
    /// <summary>Requests remembered that went without some part; beyond it the oldest are forgotten, and their late parts kept as early ones for a while.</summary>
    private const int DecidedMax = 16_384;

    private readonly Queue<Waiting> _waiting = new();
    private readonly Queue<Waiting> _early = new();
    private readonly Queue<Waiting> _decided = new();
    private readonly List<(Queue<Waiting> Queue, Waiting Waiting)> _unstamped = [];
    private readonly Dictionary<RequestKey, int> _decidedKeys = [];
    private IProcessorContext<string, GatheredRequest> _context = null!;
    private KeyedStore<EntityKey, CustomerRequests> _requests = null!;
    private bool _isBehindStore = true;

    public void Init(IProcessorContext<string, GatheredRequest> context)
    {
        (_context, _requests) = (context, context.Store<EntityKey, CustomerRequests>(RedemptionTopology.InFlight));
        context.ScheduleWallClock(Math.Clamp((long)(times.Patience.TotalMilliseconds / 6), 1, 1_000), Tick);
    }

    public void Process(in Record<string, GatherRecord> record)
    {
        var customer = EntityKey.Of(EntityKind.Customer, record.Key);
        var requests = _requests.Get(customer);
        var key = new RequestKey(record.Value.RequestId, record.At);
        if (record.Value.Announced is { } announced)
        {
            if (!requests.Announce(announced, record.At)) return;
            lookAhead?.Announced(announced.Request);
            Wait(_waiting, customer, key);
        }
        else if (!requests.TryPut(record.Value, record.At))
        {
            if (_decidedKeys.ContainsKey(key)) return;
            if (requests.PutEarly(record.Value, record.At)) Wait(_early, customer, key);
            return;
        }

        Release(customer, requests);
    }

    /// <summary>The store goes back to where it was: what is kept here is made again from it.</summary>
    public void Forget() => _isBehindStore = true;

    private void Release(in EntityKey customer, CustomerRequests requests)
    {
        while (requests.TryRelease(out var gathered, out var at))
        {
            var request = gathered.Observed.Request;
            if (gathered.LateMask != 0) Remember(customer, new(request.Id, at));
            _context.Forward(new(request.Customer.Id, gathered, at));
        }
    }

    private void Remember(in EntityKey customer, in RequestKey key)
    {
        _decidedKeys[key] = _decidedKeys.GetValueOrDefault(key) + 1;
        Wait(_decided, customer, key);
    }

    private void Wait(Queue<Waiting> queue, in EntityKey customer, in RequestKey key) => _unstamped.Add((queue, new(customer, key, default)));

    private void Tick(EventTime now)
    {
        if (_isBehindStore) CatchUp();
        var patienceEnds = now.Plus(-times.Patience);
        while (_waiting.TryPeek(out var waiting) && waiting.Since <= patienceEnds)
        {
            _waiting.Dequeue();
            GiveUpWaiting(waiting);
        }

        var memoryEnds = now.Plus(-times.Remember);
        while (_early.TryPeek(out var early) && early.Since <= memoryEnds)
        {
            _early.Dequeue();
            _requests.Get(early.Customer).ForgetEarly(early.Key);
        }

        while (_decided.TryPeek(out var decided) && (decided.Since <= memoryEnds || _decided.Count > DecidedMax)) ForgetDecided(_decided.Dequeue().Key);

        // What came since the last tick came now, at the latest: nobody's patience is cut short because a tick was late.
        foreach (var (queue, waiting) in _unstamped) queue.Enqueue(waiting with { Since = now });
        _unstamped.Clear();
    }

    private void GiveUpWaiting(in Waiting waiting)
    {
        var requests = _requests.Get(waiting.Customer);
        requests.GiveUpWaiting(waiting.Key);
        Release(waiting.Customer, requests);
    }

    private void ForgetDecided(in RequestKey key)
    {
        if (!_decidedKeys.TryGetValue(key, out var sendings)) return;
        if (sendings > 1) _decidedKeys[key] = sendings - 1;
        else _decidedKeys.Remove(key);
    }

    /// <summary>Whoever is in the store waits from now on. What went late before is not known here any more: parts of it are kept as early ones, for a while.</summary>
    private void CatchUp()
    {
        _isBehindStore = false;
        _waiting.Clear();
        _early.Clear();
        _unstamped.RemoveAll(entry => entry.Queue != _decided);
        foreach (var customer in _requests.Keys())
        {
            var requests = _requests.Get(customer);
            foreach (var key in requests.Announced) Wait(_waiting, customer, key);
            foreach (var key in requests.Early) Wait(_early, customer, key);
        }
    }

    /// <param name="Since">By the wall clock.</param>
    private readonly record struct Waiting(EntityKey Customer, RequestKey Key, EventTime Since);
}
