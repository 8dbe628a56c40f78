using System.Text;
using System.Text.Json;
using Promotions.Contracts;
using Promotions.Contracts.Answers;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Processing.Effects;
using Promotions.Processing.Embedded;
using Promotions.Processing.Records;
using Promotions.Processing.Topologies;
using Promotions.Streams;
using Promotions.Streams.Kafka;

namespace Promotions.Processing.Kafka.Effects;

/// <summary>What the effects need of the rest.</summary>
/// <param name="Ledger">Books under the task's epoch.</param>
/// <param name="Reads">Recorded decisions, for labels.</param>
/// <param name="Orders">Recorded orders, for returns.</param>
/// <param name="Decider">Makes one for decisions that have to be made again.</param>
/// <param name="Problem">How the HTTP API words a refusal: the same words go to the decisions' topic.</param>
public sealed record EffectsPorts(
    IFencedLedger Ledger, LedgerAnswers Reads, IOrderReader Orders, Func<Decider> Decider, Func<DecisionInputs> Inputs, EarningRule Earning, Func<LedgerRefusal, ProblemAnswer> Problem, IRedemptionEffectsObserver Observer);

/// <summary>Told what became of attempts and reports, from several threads. Must not block or throw.</summary>
public interface IRedemptionEffectsObserver
{
    /// <param name="sinceArrival">From the request's event time to now.</param>
    void Decided(Decision decision, bool repeated, TimeSpan sinceArrival);

    /// <summary>A part of this entity kind had not come when the decision was made.</summary>
    void LatePart(Features.EntityKind kind);

    /// <summary>The ledger said no to a report or a request.</summary>
    void Refused(string topic, LedgerRefusal refusal);
}

/// <summary>The ledger behind the topology's sinks: books what was decided and reported, in order, then publishes what became of it.</summary>
/// <remarks>
/// Records may come again after a crash, or because a caller sent them again. The ledger knows an id and says what it said before; that is published again, equal to the first time. So nothing that
/// was booked stays unsaid, and whoever reads tells repeats by their ids: features by the ids of what they counted, gateways by their numbers, others by the ids in the JSON.
/// </remarks>
public sealed class RedemptionEffects(EffectsPorts ports, KafkaTopics topics, TimeProvider time) : IEffects
{
    private static readonly TimeSpan CampaignsReadAgain = TimeSpan.FromMilliseconds(20);

    /// <summary>For so long after campaigns changed here, an attempt may have been priced before they did.</summary>
    private static readonly TimeSpan CampaignsSettle = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private long _campaignsSeen = -1;
    private long _campaignsSeenAt;

    /// <summary>The topology's sinks that lead here.</summary>
    public static readonly IReadOnlyCollection<string> SinkTopics = [Records.Topics.Decisions, RedemptionTopology.ReportsSink];

    public IReadOnlyCollection<string> Topics => SinkTopics;

    public async Task<long> AcquireAsync(TaskId task, CancellationToken cancellationToken) => (await ports.Ledger.AcquireAsync(NameOf(task), cancellationToken).ConfigureAwait(false)).Epoch;

    public async Task<IReadOnlyList<OutgoingRecord>> ApplyAsync(TaskId task, long epoch, IReadOnlyList<SinkOutput> outputs, CancellationToken cancellationToken)
    {
        var effects = new List<Effect>(outputs.Count);
        foreach (var output in outputs) effects.Add(EffectOf(output));
        await LookAgainAsync(effects, cancellationToken).ConfigureAwait(false);
        try
        {
            await CommitAsync(new(NameOf(task), epoch), effects, cancellationToken).ConfigureAwait(false);
        }
        catch (TaskTakenException taken)
        {
            throw new EpochPassedException(taken.Message, taken);
        }

        var publish = new List<OutgoingRecord>(effects.Count * 3);
        foreach (var effect in effects)
        {
            if (effect.Report is { } report) Publish(report, effect, publish);
            else Publish(effect.Proposal!, effect, publish);
        }

        return publish;
    }

    /// <summary>Several pipelines may share a ledger: each has its own group.</summary>
    private string NameOf(TaskId task) => $"{topics.Named(topics.Group)}/{task}";

    private Effect EffectOf(in SinkOutput output)
    {
        switch (output.Value)
        {
            case ProposedDecision proposed:
                return new() { At = output.At, ReplyTo = proposed.ReplyTo, Proposal = proposed.Proposal, Command = Attempts.CommandOf(proposed.Proposal) };
            case Report report:
                var command = ReportCommands.Of(report.Topic, report.Value.Span, ports.Earning) ?? throw new InvalidOperationException($"A report of '{report.Topic}' does nothing to the ledger.");
                Decision? judged = null;
                if (command is RecordLabel label && (judged = ports.Reads.FindJudged(label.Label)) is not null) command = label with { Label = label.Label with { Entities = judged.Proposal.Entities } };
                var effect = new Effect { At = output.At, ReplyTo = report.ReplyTo, Report = report, Command = command, Judged = judged };
                if (command is RecordReturn returned && WrongCurrency(returned.Return, report) is { } wrong) (effect.Command, effect.Outcome) = (null, wrong);
                return effect;
            default:
                throw new InvalidOperationException($"'{output.Topic}' carries a {output.Value?.GetType().Name}, which has no effect here.");
        }
    }

    /// <summary>The order's currency never changes, so looking before the ledger does is safe.</summary>
    private LedgerOutcome? WrongCurrency(OrderReturned returned, Report report) =>
        report.Currency is { } currency && ports.Orders.FindOrder(returned.OrderId) is { } order && order.Currency != currency
            ? new(0, LedgerRefusal.InvalidCommand, false, null, $"/amount/currency: Must be {order.Currency}, like the order.")
            : null;

    /// <summary>A refusal by rule may come from campaigns that another process has changed a moment ago: who made a campaign and redeems it at once must not be told that there is none. Asked of the
    /// database once a batch with refusals, and decided again only where campaigns did change lately. (What was accepted on an old version the ledger refuses as stale.)</summary>
    private async Task LookAgainAsync(List<Effect> effects, CancellationToken cancellationToken)
    {
        var refused = effects.FindAll(effect => effect.Proposal is { Refusal: not Domain.Campaigns.RefusalCode.None });
        if (refused.Count == 0) return;
        await ports.Ledger.RefreshCampaignsAsync(cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            if (_campaignsSeen != ports.Ledger.Campaigns.Revision) (_campaignsSeen, _campaignsSeenAt) = (ports.Ledger.Campaigns.Revision, time.GetTimestamp());
            if (time.GetElapsedTime(_campaignsSeenAt) > CampaignsSettle) return;
        }

        var repricer = new Repricer(ports.Decider(), ports.Inputs);
        foreach (var effect in refused)
        {
            effect.Proposal = repricer.Again(effect.Proposal!);
            effect.Command = Attempts.CommandOf(effect.Proposal);
        }
    }

    private async Task CommitAsync(TaskEpoch owner, List<Effect> effects, CancellationToken cancellationToken)
    {
        await CommitAsync(effects.Where(effect => effect.Command is not null)).ConfigureAwait(false);
        var attempts = effects.FindAll(effect => effect.Proposal is not null);
        if (!attempts.Exists(effect => effect.Outcome is { Refusal: LedgerRefusal.StaleCampaign })) return;

        var proposals = attempts.ConvertAll(effect => effect.Proposal!);
        var outcomes = attempts.ConvertAll(effect => effect.Outcome);
        await new Repricer(ports.Decider(), ports.Inputs).RunAsync(proposals, outcomes, async stale =>
        {
            foreach (var index in stale) (attempts[index].Proposal, attempts[index].Command) = (proposals[index], Attempts.CommandOf(proposals[index]));
            await CommitAsync(stale.Select(index => attempts[index])).ConfigureAwait(false);
            return [.. stale.Select(index => attempts[index].Outcome)];
        }, round => round == 0 ? Task.CompletedTask : Task.Delay(CampaignsReadAgain, time, cancellationToken)).ConfigureAwait(false);

        async Task CommitAsync(IEnumerable<Effect> chosen)
        {
            var group = chosen.ToList();
            if (group.Count == 0) return;
            // The log is Kafka's: the ledger's gets a line for each command that it took, without the record.
            var appends = group.ConvertAll(effect => new LogAppend(effect.Report?.Topic ?? Records.Topics.Requests, effect.Command!.Id, default, effect.At, 0, effect.Command));
            var receipt = await ports.Ledger.CommitAsync(owner, appends, static _ => [], cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < group.Count; i++) group[i].Outcome = receipt.Outcomes[i];
        }
    }

    private void Publish(DecisionProposal proposal, Effect effect, List<OutgoingRecord> publish)
    {
        var request = proposal.Request;
        var key = Encoding.UTF8.GetBytes(request.Customer.Id);
        Tell(proposal, effect);
        if (Attempts.RecordedOutcomeOf(proposal, effect.Outcome) is { } outcome && FeedbackRecord.IsCounted(outcome.Status))      // most are not, and a record to the brokers is what costs most
            publish.Add(new(Records.Topics.Outcomes, null, key, FeedbackRecord.Encode(Records.Topics.Outcomes, RecordCodec.Encode(outcome)), outcome.At));
        if (request.Kind is AttemptKind.Validation)
        {
            if (effect.ReplyTo is { } asks) publish.Add(ReplyTo(asks, new(asks.Instance, asks.Correlation, null, proposal), effect.At));
            return;
        }

        var answer = effect.Outcome!;
        if (effect.ReplyTo is { } address) publish.Add(ReplyTo(address, new(address.Instance, address.Correlation, answer, null), effect.At));
        publish.Add(new(KafkaTopics.Decisions, null, key, AnswerOf(request.Id, answer), effect.At));
        PublishBalances(effect, publish);
    }

    private void Publish(Report report, Effect effect, List<OutgoingRecord> publish)
    {
        var outcome = effect.Outcome!;
        if (effect.ReplyTo is { } address) publish.Add(ReplyTo(address, new(address.Instance, address.Correlation, outcome, null), effect.At));
        if (!outcome.Accepted)
        {
            ports.Observer.Refused(report.Topic, outcome.Refusal);
            if (effect.ReplyTo is null) publish.Add(DeadReport.Of(report, outcome, effect.At, topics, EventTime.Now(time)));
            return;
        }

        var feedback = effect.Command switch
        {
            RecordLabel label => RecordCodec.Encode(label.Label),      // with the entities that it is about
            RecordOrder or RecordReturn => report.Value,
            _ => default,
        };
        if (!feedback.IsEmpty) publish.Add(new(Records.Topics.Outcomes, null, Encoding.UTF8.GetBytes(report.Key), FeedbackRecord.Encode(report.Topic, feedback.Span), effect.At));
        PublishBalances(effect, publish);
    }

    private static void PublishBalances(Effect effect, List<OutgoingRecord> publish)
    {
        foreach (var change in BalanceChanges.Of(effect.Command!, effect.Outcome!, effect.Judged))
            publish.Add(new(KafkaTopics.BalanceChanges, null, Encoding.UTF8.GetBytes(change.CustomerId), BalanceChanges.Write(change), effect.At));
    }

    private OutgoingRecord ReplyTo(ReplyAddress address, Reply reply, EventTime at) => new(topics.Replies, address.Partition, null, ReplyCodec.Encode(reply), at);

    /// <summary>What checkout may know: never the score.</summary>
    private byte[] AnswerOf(string id, LedgerOutcome outcome)
    {
        var refusal = outcome.Accepted && outcome.Decision is { } recorded ? RefusalOf(recorded) : outcome.Refusal;
        return refusal is LedgerRefusal.None
            ? JsonSerializer.SerializeToUtf8Bytes(RedemptionAnswers.ForCheckout(outcome.Decision!), ContractsJson.Default.RedemptionAnswer)
            : ProblemJson.Write(id, ports.Problem(refusal), refusal is LedgerRefusal.InvalidCommand ? outcome.Detail : null);
    }

    /// <summary>A decision that only says that there was none: the void came before the request.</summary>
    private static LedgerRefusal RefusalOf(Decision decision) => decision.Refusal switch
    {
        Domain.Campaigns.RefusalCode.VoidedBefore => LedgerRefusal.VoidedBefore,
        Domain.Campaigns.RefusalCode.DeadlinePassed => LedgerRefusal.DeadlinePassed,
        Domain.Campaigns.RefusalCode.StaleCampaign => LedgerRefusal.StaleCampaign,
        _ => LedgerRefusal.None,
    };

    private void Tell(DecisionProposal proposal, Effect effect)
    {
        for (var kind = 1; kind < 32; kind++)
            if ((proposal.Risk.LateMask & (1u << kind)) != 0) ports.Observer.LatePart((Features.EntityKind)kind);
        if (effect.Outcome is { Accepted: true, Decision: { } decision } outcome)
            ports.Observer.Decided(decision, outcome.Repeated, TimeSpan.FromMilliseconds(EventTime.Now(time).UnixMilliseconds - proposal.Request.At.UnixMilliseconds));
        else if (effect.Outcome is { Accepted: false, Refusal: var refusal }) ports.Observer.Refused(Records.Topics.Requests, refusal);
    }

    /// <summary>One record of a sink and what becomes of it.</summary>
    private sealed class Effect
    {
        public required EventTime At { get; init; }
        public ReplyAddress? ReplyTo { get; init; }
        public Report? Report { get; init; }
        public DecisionProposal? Proposal { get; set; }

        /// <summary>Of a label: the decision that it is about, as it stood before.</summary>
        public Decision? Judged { get; init; }

        /// <summary>Null where there is nothing to book.</summary>
        public LedgerCommand? Command { get; set; }
        public LedgerOutcome? Outcome { get; set; }
    }
}
