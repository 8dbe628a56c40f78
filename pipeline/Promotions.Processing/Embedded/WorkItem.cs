using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;

namespace Promotions.Processing.Embedded;

/// <summary>A record on its way through the pipeline, and the caller who waits for it.</summary>
internal abstract class WorkItem(string topic, string key, EventTime at, long acceptedTimestamp)
{
    private readonly TaskCompletionSource<LedgerOutcome> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Topic { get; } = topic;
    public string Key { get; } = key;
    public EventTime At { get; } = at;
    public long AcceptedTimestamp { get; } = acceptedTimestamp;
    public Task<LedgerOutcome> Answer => _answer.Task;

    public void Complete(LedgerOutcome outcome) => _answer.TrySetResult(outcome);
    public void Fail(Exception fault) => _answer.TrySetException(fault);
}

/// <summary>An attempt: observed before its commit, so it is always in the log, whatever the ledger says.</summary>
internal sealed class AttemptItem(RedemptionRequest request, long acceptedTimestamp) : WorkItem(Records.Topics.Requests, request.Id, request.At, acceptedTimestamp)
{
    public RedemptionRequest Request { get; } = request;
    public AttemptEntities? Entities { get; set; }
    public float[] Vector { get; set; } = [];
    public uint LateMask { get; set; }

    /// <summary>Hash of the entities' parts, taken before the price is known: replay needs no campaign.</summary>
    public ulong StateHash { get; set; }
    public DecisionProposal? Proposal { get; set; }
}

/// <summary>Anything else: it counts from its commit on, and only when the ledger took it.</summary>
internal sealed class FeedbackItem(string topic, LedgerCommand command, byte[] value, object record, long acceptedTimestamp)
    : WorkItem(topic, command.Id, command.At, acceptedTimestamp)
{
    public LedgerCommand Command { get; } = command;
    public byte[] Value { get; } = value;
    public object Record { get; } = record;
}
