using Promotions.Domain;
using Promotions.Features;
using Promotions.Processing.Records;
using Promotions.Streams;

namespace Promotions.Processing.Topologies;

/// <summary>Puts a request's parts together, and lets a customer's requests go in the order in which they came.</summary>
/// <remarks>Holds what is in flight only. Under a driver whose hops are asynchronous a part may come before its request is announced, and one customer's second request may be
/// complete before the first.</remarks>
internal sealed class Gather : IProcessor<string, GatherRecord, string, GatheredRequest>
{
    private readonly Dictionary<string, Pending> _byRequest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Pending> _firstOf = new(StringComparer.Ordinal);
    private readonly Stack<Pending> _spare = [];
    private IProcessorContext<string, GatheredRequest> _context = null!;

    public void Init(IProcessorContext<string, GatheredRequest> context) => _context = context;

    public void Process(in Record<string, GatherRecord> record)
    {
        var pending = PendingOf(record.Value.RequestId);
        if (record.Value.Announced is { } announced) Announce(pending, announced, record.Value.Parts, record.Key);
        else
        {
            var part = record.Value.Values;
            FeatureVector.Put(pending.Vector, record.Value.Kind, part[..FeatureRegistry.Block(record.Value.Kind).Length]);
            pending.Missing--;
        }

        Release(record.Key, record.At);
    }

    public void Forget()
    {
        _byRequest.Clear();
        _firstOf.Clear();
    }

    private Pending PendingOf(string requestId)
    {
        if (_byRequest.TryGetValue(requestId, out var known)) return known;
        var pending = _spare.TryPop(out var spare) ? spare : new Pending();
        pending.Vector = new float[FeatureRegistry.Count];
        FeatureVector.Clear(pending.Vector);
        _byRequest.Add(requestId, pending);
        return pending;
    }

    private void Announce(Pending pending, ObservedRequest announced, int parts, string customer)
    {
        pending.Observed = announced;
        pending.Missing += parts;
        if (!_firstOf.TryAdd(customer, pending))
        {
            var last = _firstOf[customer];
            while (last.Next is { } next) last = next;
            last.Next = pending;
        }
    }

    private void Release(string customer, EventTime at)
    {
        while (_firstOf.TryGetValue(customer, out var first) && first.Missing == 0)
        {
            var observed = first.Observed!;
            var vector = first.Vector;
            if (first.Next is { } next) _firstOf[customer] = next;
            else _firstOf.Remove(customer);
            _byRequest.Remove(observed.Request.Id);
            (first.Observed, first.Vector, first.Next) = (null, [], null);
            _spare.Push(first);
            _context.Forward(new(customer, new(observed, vector, 0), at > observed.Request.At ? at : observed.Request.At));
        }
    }

    private sealed class Pending
    {
        public ObservedRequest? Observed;
        public float[] Vector = [];

        /// <summary>Parts still to come; negative while parts came before their request.</summary>
        public int Missing;
        public Pending? Next;
    }
}
