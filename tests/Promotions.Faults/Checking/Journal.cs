using System.Collections.Concurrent;
using System.Diagnostics;
using Promotions.Faults.Traffic;

namespace Promotions.Faults.Checking;

/// <summary>Remembers every call, the first answer to each that promised something, and what broke a promise on the way. Safe from any thread.</summary>
internal sealed class Journal
{
    private readonly ConcurrentDictionary<string, Call> _calls = new();
    private readonly ConcurrentDictionary<string, Reply> _promises = new();
    private readonly ConcurrentDictionary<string, Reply> _refusals = new();
    private readonly ConcurrentQueue<Breach> _breaches = new();
    private readonly ConcurrentQueue<long> _decided = new();
    private readonly ConcurrentDictionary<string, int> _open = new();
    private long _sent;

    /// <summary>HTTP requests, retries included.</summary>
    public long Requests => Interlocked.Read(ref _sent);

    /// <summary>By name of the call.</summary>
    public IReadOnlyDictionary<string, Reply> Promises => _promises;
    public IReadOnlyDictionary<string, Call> Calls => _calls;
    public IReadOnlyCollection<Breach> Breaches => _breaches;

    /// <summary>Calls without any answer so far.</summary>
    public IEnumerable<Call> Open => _calls.Values.Where(call => !_promises.ContainsKey(call.Name) && !_refusals.ContainsKey(call.Name));

    /// <summary>How often callers were told to come back, by status and code.</summary>
    public IReadOnlyDictionary<string, int> TurnedAway => _open;

    /// <summary>Redemptions that were answered for the first time.</summary>
    public int Decided => _decided.Count;

    public void Asked(Call call) => _calls.TryAdd(call.Name, call);

    public void Sent() => Interlocked.Increment(ref _sent);

    public void LeftOpen(Reply reply) => _open.AddOrUpdate($"{reply.Status} {Answers.ProblemOf(reply)}", 1, (_, count) => count + 1);

    public void Unanswered() => _open.AddOrUpdate("no answer", 1, (_, count) => count + 1);

    /// <param name="at">By <see cref="Stopwatch.GetTimestamp"/>.</param>
    public void Answered(Call call, Reply reply, long at)
    {
        if (_promises.TryGetValue(call.Name, out var promised) || (reply.IsAcknowledged && !_promises.TryAdd(call.Name, reply) && _promises.TryGetValue(call.Name, out promised)))
        {
            if (!reply.IsAcknowledged) _breaches.Enqueue(new(BreachKind.Lost, $"{call.Name} was acknowledged, and is answered {reply.Status} {reply.Body} now"));
            else if (!Answers.AreSame(promised, reply)) _breaches.Enqueue(new(BreachKind.Changed, $"{call.Name} was answered {promised.Body} and is answered {reply.Body} now"));
            return;
        }

        if (reply.IsAcknowledged)
        {
            if (call.Kind is CallKind.Redeem) _decided.Enqueue(at);
            return;
        }

        _refusals[call.Name] = reply;
        // Whoever captures, voids or returns was told before that there is something.
        if (reply.Status is 404) _breaches.Enqueue(new(BreachKind.Lost, $"{call.Name} is refused, though what it is about was acknowledged: {reply.Body}"));
    }

    /// <summary>An acknowledged id with another content: anything but a refusal is a second effect under it.</summary>
    public void AnsweredOtherwise(Call call, Reply reply)
    {
        if (reply.Status is not 422) _breaches.Enqueue(new(BreachKind.Doubled, $"{call.Name} was sent with another content and answered {reply.Status} {reply.Body}"));
    }

    public void Add(Breach breach) => _breaches.Enqueue(breach);

    /// <summary>The longest time without a first answer to any redemption, between two moments.</summary>
    public TimeSpan LongestGap(long from, long to)
    {
        var (longest, last) = (0L, from);
        foreach (var at in _decided.Where(at => at >= from && at <= to).Order())
        {
            longest = Math.Max(longest, at - last);
            last = at;
        }

        return Stopwatch.GetElapsedTime(0, Math.Max(longest, to - last));
    }
}
