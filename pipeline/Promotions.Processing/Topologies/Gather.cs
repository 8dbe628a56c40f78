using Promotions.Streams;

namespace Promotions.Processing.Topologies;

/// <summary>Puts a request's parts together, and lets a customer's requests go in the order in which they came, where hops are calls: every request ends within the record that began it,
/// so that nothing needs a store or patience.</summary>
internal sealed class Gather : IProcessor<string, GatherRecord, string, GatheredRequest>
{
    private readonly Dictionary<string, CustomerRequests> _customers = new(StringComparer.Ordinal);
    private readonly Stack<CustomerRequests> _spare = [];
    private IProcessorContext<string, GatheredRequest> _context = null!;
    private string? _lastCustomer;
    private CustomerRequests? _last;

    public void Init(IProcessorContext<string, GatheredRequest> context) => _context = context;

    public void Process(in Record<string, GatherRecord> record)
    {
        var requests = RequestsOf(record.Key);
        if (record.Value.Announced is { } announced) requests.Announce(announced, record.At);
        else if (!requests.TryPut(record.Value, record.At)) requests.PutEarly(record.Value, record.At);
        while (requests.TryRelease(out var gathered, out var at)) _context.Forward(new(record.Key, gathered, at));

        if (!requests.IsEmpty) return;
        _customers.Remove(record.Key);
        _spare.Push(requests);
        _last = null;
    }

    public void Forget()
    {
        _customers.Clear();
        _last = null;
    }

    /// <summary>A request's parts come one after another: most find their customer without a look-up.</summary>
    private CustomerRequests RequestsOf(string customer)
    {
        if (_last is { } last && ReferenceEquals(customer, _lastCustomer)) return last;
        if (!_customers.TryGetValue(customer, out var requests)) _customers.Add(customer, requests = _spare.TryPop(out var spare) ? spare : new());
        (_lastCustomer, _last) = (customer, requests);
        return requests;
    }
}
