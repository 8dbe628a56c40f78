using Promotions.Domain.Campaigns;
using Promotions.Ledger;

namespace Promotions.Processing.Kafka.Tests;

/// <summary>Epochs in memory over a ledger of one process.</summary>
internal sealed class LocalFence(ILedger ledger) : IFencedLedger
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _epochs = new(StringComparer.Ordinal);

    /// <summary>Called before each commit of a task, with its number from 1.</summary>
    public Func<int, Task>? BeforeCommit { get; set; }
    private int _commits;

    public Task<TaskEpoch> AcquireAsync(string task, CancellationToken cancellationToken)
    {
        lock (_gate) return Task.FromResult(new TaskEpoch(task, _epochs[task] = _epochs.GetValueOrDefault(task) + 1));
    }

    /// <summary>One process: they are always current.</summary>
    public Task RefreshCampaignsAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<CommitReceipt> CommitAsync(
        TaskEpoch owner, IReadOnlyList<LogAppend> batch, Func<IReadOnlyList<LedgerOutcome?>, IReadOnlyList<LogAppend>> followUps, CancellationToken cancellationToken)
    {
        if (BeforeCommit is { } before) await before(++_commits);
        lock (_gate)
            if (_epochs.GetValueOrDefault(owner.Task) != owner.Epoch) throw new TaskTakenException(owner);
        return await ledger.CommitAsync(batch, followUps, cancellationToken);
    }

    public Task<CommitReceipt> CommitAsync(IReadOnlyList<LogAppend> batch, Func<IReadOnlyList<LedgerOutcome?>, IReadOnlyList<LogAppend>> followUps, CancellationToken cancellationToken) =>
        ledger.CommitAsync(batch, followUps, cancellationToken);

    public Task<LedgerOutcome> ExecuteAsync(LedgerCommand command, Lane lane, CancellationToken cancellationToken) => ledger.ExecuteAsync(command, lane, cancellationToken);

    public Task<IReadOnlyList<LedgerOutcome>> ExecuteManyAsync(IReadOnlyList<LedgerCommand> commands, IProgress<int>? progress, CancellationToken cancellationToken) =>
        ledger.ExecuteManyAsync(commands, progress, cancellationToken);

    public ICampaignSnapshot Campaigns => ledger.Campaigns;
    public ILedgerReader Reader => ledger.Reader;
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
