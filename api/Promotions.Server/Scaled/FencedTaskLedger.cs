using Promotions.Ledger;
using Promotions.Processing.Kafka.Effects;
using Promotions.Streams.Kafka;

namespace Promotions.Server.Scaled;

/// <summary>The shared ledger as tasks commit to it: each under its epoch.</summary>
internal sealed class FencedTaskLedger(IFencedLedger ledger) : ITaskLedger
{
    /// <summary>The log is Kafka's: an entry names the command, and nothing reads its value.</summary>
    private const string Topic = "commands";

    public async Task<long> AcquireAsync(string task, CancellationToken cancellationToken) => (await ledger.AcquireAsync(task, cancellationToken)).Epoch;

    public async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(string task, long epoch, IReadOnlyList<LedgerCommand> commands, CancellationToken cancellationToken)
    {
        var appends = new LogAppend[commands.Count];
        for (var i = 0; i < appends.Length; i++) appends[i] = new(Topic, commands[i].Id, default, commands[i].At, 0, commands[i]);
        try
        {
            var receipt = await ledger.CommitAsync(new(task, epoch), appends, static _ => [], cancellationToken);
            return [.. receipt.Outcomes.Select(static outcome => outcome!)];
        }
        catch (TaskTakenException taken)
        {
            throw new EpochPassedException(taken.Message, taken);
        }
    }
}
