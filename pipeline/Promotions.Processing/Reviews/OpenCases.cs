using Promotions.Ledger;
using Promotions.Processing.Decisions;

namespace Promotions.Processing.Reviews;

/// <summary>A case with its place.</summary>
public sealed record QueuedCase(OpenCase Case, QueuePlace Place);

/// <summary>The review queue by expected cost. Safe from any thread.</summary>
/// <remarks>A cost needs the decision's document, and the costs are the policy's of today, so no index can sort by it: what the queue needs of each open decision is read once and kept,
/// and each look asks the ledger only which flags are open. Of more than <see cref="Max"/> open flags the newest are ordered.</remarks>
public sealed class OpenCases(ILedgerReader ledger)
{
    /// <summary>Some 0.5 KB each are kept.</summary>
    public const int Max = 5_000;

    private const int Page = 200;
    private readonly Lock _reading = new();
    private Dictionary<long, OpenCase> _known = [];

    /// <summary>The dearest first.</summary>
    /// <exception cref="LedgerFaultException">The ledger cannot be read.</exception>
    public IReadOnlyList<QueuedCase> Read(FraudCosts costs)
    {
        List<QueuedCase> queue = [.. Read().Select(open => new QueuedCase(open, new(open.ExpectedCost(costs), open.Position)))];
        queue.Sort(static (left, right) => QueuePlace.Compare(left.Place, right.Place));
        return queue;
    }

    private List<OpenCase> Read()
    {
        lock (_reading)
        {
            var open = ledger.OpenFlags(Max);
            var known = new Dictionary<long, OpenCase>(open.Count);
            var found = new List<OpenCase>(open.Count);
            foreach (var flag in open)
            {
                if (!_known.TryGetValue(flag.Position, out var one) && !known.TryGetValue(flag.Position, out one))
                {
                    // Flags come in runs: who is missing brings the neighbours along.
                    foreach (var missing in ledger.Flags(openOnly: true, Page, flag.Position + 1)) known[missing.Decision.Position] = OpenCase.Of(missing.Decision);
                    if (!known.TryGetValue(flag.Position, out one)) continue;      // answered in between
                }

                known[flag.Position] = one = one.Hold == flag.Hold ? one : one with { Hold = flag.Hold };
                found.Add(one);
            }

            _known = known;
            return found;
        }
    }
}
