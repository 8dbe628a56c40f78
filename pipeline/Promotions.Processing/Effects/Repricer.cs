using System.Runtime.InteropServices;
using Promotions.Domain.Decisions;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Processing.Topologies;

namespace Promotions.Processing.Effects;

/// <summary>A campaign changed between price and commit. The attempt was observed; only its decision is made again, on the campaign as it is now, until the ledger takes it.</summary>
/// <param name="decider">Not the topology's own: another thread may be deciding with that.</param>
public sealed class Repricer(Decider decider, Func<DecisionInputs> inputs)
{
    private const int RoundsMax = 100;

    /// <param name="proposals">As committed; what is decided again takes its place.</param>
    /// <param name="outcomes">Of the proposals; those of what is committed again take their place.</param>
    /// <param name="commitAgain">Commits the proposals at these indexes and gives their outcomes.</param>
    /// <param name="wait">Before a round, by its number from 0: until the campaigns are read again, where another process changes them. Null: they are current.</param>
    /// <exception cref="LedgerFaultException">Campaigns change faster than they can be priced.</exception>
    public async Task RunAsync(
        List<DecisionProposal> proposals, List<LedgerOutcome?> outcomes, Func<IReadOnlyList<int>, Task<IReadOnlyList<LedgerOutcome?>>> commitAgain, Func<int, Task>? wait = null)
    {
        for (var round = 0; Stale(outcomes) is { Count: > 0 } stale; round++)
        {
            if (round == RoundsMax) throw new LedgerFaultException($"A campaign changed {RoundsMax} times while one batch was priced.");
            if (wait is not null) await wait(round).ConfigureAwait(false);
            foreach (var index in stale) proposals[index] = Again(proposals[index]);
            var again = await commitAgain(stale).ConfigureAwait(false);
            for (var i = 0; i < stale.Count; i++) outcomes[stale[i]] = again[i];
        }
    }

    /// <summary>The same attempt, decided on the campaigns as they are now.</summary>
    public DecisionProposal Again(DecisionProposal proposal) =>
        Decide.Propose(decider, proposal.Request, proposal.Entities, VectorOf(proposal), proposal.Risk.LateMask, inputs());

    private static List<int>? Stale(List<LedgerOutcome?> outcomes)
    {
        List<int>? stale = null;
        for (var i = 0; i < outcomes.Count; i++)
            if (outcomes[i] is { Refusal: LedgerRefusal.StaleCampaign }) (stale ??= []).Add(i);
        return stale;
    }

    private static float[] VectorOf(DecisionProposal proposal) =>
        MemoryMarshal.TryGetArray(proposal.Risk.Vector, out var vector) && vector is { Offset: 0 } && vector.Array!.Length == vector.Count ? vector.Array : proposal.Risk.Vector.ToArray();
}
