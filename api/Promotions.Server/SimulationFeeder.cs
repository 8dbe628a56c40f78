using Promotions.Domain.Campaigns;
using Promotions.Ledger;
using Promotions.Processing;
using Promotions.Simulation;

namespace Promotions.Server;

/// <summary>Sends a simulation's events through the same gateway and ledger as checkout's, many in flight, and tells it what was decided.</summary>
internal sealed class SimulationFeeder(ISimulation simulation, IRedemptionGateway gateway, ILedger ledger)
{
    private const int InFlightMax = 512;
    private const int CouponsPerCommand = 500;
    private readonly List<(RedemptionAttempted Attempt, Task<LedgerOutcome> Answer)> _attempts = [];
    private readonly List<Task<LedgerOutcome>> _others = [];
    private long _commands;

    /// <summary>Told of every decided attempt, in the simulation's order.</summary>
    public Action<RedemptionAttempted, LedgerOutcome>? Decided { get; init; }

    /// <summary>Takes the next event, if its outcome does not hang on a decision; else waits for these.</summary>
    /// <returns>The event that was sent; null when there is none any more.</returns>
    public async Task<SimulatedEvent?> StepAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            switch (simulation.TryNext(out var next))
            {
                case Pull.Event:
                    await SendAsync(next!, cancellationToken);
                    return next;
                case Pull.AwaitingFeedback:
                    if (_attempts.Count == 0) throw new InvalidOperationException("The simulation waits for a decision that nobody asked for.");
                    await DrainAsync();
                    break;
                default:
                    await DrainAsync();
                    return null;
            }
        }
    }

    /// <summary>Waits for all that is in flight and tells the simulation.</summary>
    public async Task DrainAsync()
    {
        foreach (var (attempt, answer) in _attempts)
        {
            var outcome = await answer;
            var decision = outcome.Decision;
            simulation.Observe(new(
                attempt.Request.Id, decision?.Status ?? Domain.Events.RedemptionStatus.Rejected, decision?.Refusal ?? RefusalCode.None,
                decision?.Status is Domain.Events.RedemptionStatus.Approved or Domain.Events.RedemptionStatus.Review ? decision.Proposal.Priced.Discount : 0,
                [.. (decision?.Proposal.Arms ?? []).Select(a => KeyValuePair.Create(a.CampaignId, a.Arm))]));
            Decided?.Invoke(attempt, outcome);
        }

        _attempts.Clear();
        await Task.WhenAll(_others);
        _others.Clear();
    }

    private async Task SendAsync(SimulatedEvent next, CancellationToken cancellationToken)
    {
        switch (next)
        {
            case RedemptionAttempted attempt: _attempts.Add((attempt, gateway.RedeemAsync(attempt.Request, cancellationToken))); break;
            case CaptureIntended capture: _others.Add(gateway.CaptureAsync(capture.Capture, cancellationToken)); break;
            case VoidIntended end: _others.Add(gateway.VoidAsync(end.Void, cancellationToken)); break;
            case Ordered ordered: _others.Add(gateway.RecordAsync(ordered.Order, cancellationToken)); break;
            case Returned returned: _others.Add(gateway.RecordAsync(returned.Return, cancellationToken)); break;
            case Engaged engaged: _others.Add(gateway.RecordAsync(engaged.Engagement, cancellationToken)); break;
            case Labelled labelled: await LabelAsync(labelled, cancellationToken); break;
            case CampaignsDefined defined: await DefineAsync(defined, cancellationToken); break;
            case CouponsAdded added: await AddAsync(added, cancellationToken); break;
            default: throw new InvalidOperationException($"A simulation's event of kind {next.GetType().Name} has no place to go.");
        }

        if (_attempts.Count + _others.Count >= InFlightMax) await DrainAsync();
    }

    /// <summary>A label is about a recorded decision: what is in flight is waited for first.</summary>
    private async Task LabelAsync(Labelled labelled, CancellationToken cancellationToken)
    {
        if (_attempts.Exists(a => a.Attempt.Request.Id == labelled.Label.RedemptionId)) await DrainAsync();
        _others.Add(gateway.RecordAsync(labelled.Label, cancellationToken));
    }

    private async Task DefineAsync(CampaignsDefined defined, CancellationToken cancellationToken)
    {
        await DrainAsync();
        foreach (var campaign in defined.Campaigns)
            if (ledger.Campaigns.FindCampaign(campaign.Id) is null)
                Expect(await ledger.ExecuteAsync(new PutCampaign($"demo:put:{campaign.Id}:{campaign.Version}", Actor.System, defined.At, campaign), Lane.Bulk, cancellationToken), campaign.Id);
    }

    private async Task AddAsync(CouponsAdded added, CancellationToken cancellationToken)
    {
        await DrainAsync();
        var commands = added.Coupons.GroupBy(c => c.CampaignId).SelectMany(g => g.Chunk(CouponsPerCommand)).Select(chunk => (LedgerCommand)new AddCoupons(
            $"demo:coupons:{chunk[0].Code}:{_commands++}", Actor.System, added.At, chunk[0].CampaignId, [.. chunk.Select(c => new NewCoupon(c.Code, c.CustomerId, c.UsesMax))])).ToList();
        foreach (var outcome in await ledger.ExecuteManyAsync(commands, null, cancellationToken)) Expect(outcome, "coupons");
    }

    private static void Expect(LedgerOutcome outcome, string what)
    {
        if (!outcome.Accepted) throw new InvalidOperationException($"The ledger refused the simulation's {what}: {outcome.Refusal} {outcome.Detail}");
    }
}
