using Promotions.Ledger.Booking;
using Promotions.Ledger.Writing;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>Which commands a request may evaluate in the next transaction: their rows are locked and loaded before. Used by the writer only.</summary>
/// <remarks>Follow-ups with commands of their own are known only after the evaluation: the transaction begins again with their rows.</remarks>
internal sealed class Plans
{
    private readonly Dictionary<CommitRequest, List<PreparedCommand>> _followUps = [];

    /// <param name="max">Commands of bulk work; others are planned whole.</param>
    public IEnumerable<PreparedCommand> Of(Request request, int max) => request switch
    {
        CommitRequest commit => CommandsOf(commit.Batch).Concat(_followUps.GetValueOrDefault(commit, [])),
        ExecuteRequest execute => execute.Left.Take(max),
        _ => [],
    };

    /// <returns>False: some of them are new, and planned from now on.</returns>
    public bool TryAdd(CommitRequest commit, IReadOnlyList<PreparedAppend> followUps)
    {
        var known = _followUps.GetValueOrDefault(commit, []).Select(c => c.Command.Id).ToHashSet(StringComparer.Ordinal);
        var missing = CommandsOf(followUps).Where(c => !known.Contains(c.Command.Id)).ToArray();
        if (missing.Length == 0) return true;
        if (!_followUps.TryGetValue(commit, out var planned)) _followUps.Add(commit, planned = []);
        planned.AddRange(missing);
        return false;
    }

    /// <summary>When the group is done with.</summary>
    public void Clear() => _followUps.Clear();

    private static IEnumerable<PreparedCommand> CommandsOf(IEnumerable<PreparedAppend> records) => records.Where(r => r.Command is not null).Select(r => r.Command!);
}
