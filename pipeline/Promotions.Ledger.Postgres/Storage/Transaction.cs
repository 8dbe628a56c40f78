using Npgsql;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Writing;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>One request failed by its own doing: a callback that threw or a broken invariant.</summary>
internal sealed class RequestFaultException(Request request, Exception fault) : Exception(fault.Message, fault)
{
    public Request Request => request;
}

/// <summary>Numbers that this process gives out.</summary>
internal sealed class NumberSet
{
    public Numbers Entries { get; } = new("entry_block");
    public Numbers Accounts { get; } = new("account_block");
    public Numbers Lots { get; } = new("lot_block");

    public void Rewind() => Each(n => n.Rewind());
    public void Commit() => Each(n => n.Commit());
    public void Drop() => Each(n => n.Drop());

    private void Each(Action<Numbers> act)
    {
        act(Entries);
        act(Accounts);
        act(Lots);
    }
}

/// <param name="RecordedAt">µs since 1970: this process's clock never goes behind it.</param>
/// <param name="Logged">Number of the last entry that is a record of the log.</param>
internal readonly record struct LastWritten(long RecordedAt, long Logged);

/// <summary>A group of requests in one transaction: locked and loaded, evaluated in input order by the same machine as everywhere, written and committed.</summary>
/// <param name="bulkCount">How many commands of the last request, which is bulk work, are in it; 0: there is no bulk work.</param>
/// <param name="attempt">From 1: a group that begins again gets more room.</param>
/// <param name="last">Where the transaction before stopped.</param>
internal sealed class Transaction(IReadOnlyList<Request> group, int bulkCount, int attempt, NumberSet numbers, Plans plans, CampaignCatalog catalog, TimeProvider time, string shard, LastWritten last)
{
    /// <summary>Four kinds in every unit that a batch can meet.</summary>
    private const int SystemAccountsMax = 1_024;

    private readonly Footprint _footprint = new();
    private BatchState _state = null!;
    private BatchWriter _writer = null!;
    private LedgerMachine _machine = null!;
    private long _logged = last.Logged;
    private bool _stale;

    public IReadOnlyList<LedgerEntry> Entries => _writer.Entries;
    /// <summary>The campaigns that refused a decision as stale, as they stand; empty when none was.</summary>
    public IEnumerable<Campaign> Newer => _stale ? _state.Campaigns.Values : [];

    public LastWritten Last => new(_machine.LastRecordedAt, _logged);

    /// <summary>Begins, locks, loads and evaluates. The caller commits or rolls back.</summary>
    /// <exception cref="RequestFaultException">One request failed; the others may begin again without it.</exception>
    /// <exception cref="NotPlannedException">All begin again.</exception>
    public async Task EvaluateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        Plan();
        var records = group.Select((r, i) => BoundOf(i) is var bound && bound < r.Weight ? bound : r.Weight).Sum();
        await numbers.Entries.EnsureAsync(connection, ((records * 3) + 64) * attempt, cancellationToken).ConfigureAwait(false);
        if (_footprint.HasCommands)   // records and settings alone make no account and no lot
        {
            await numbers.Accounts.EnsureAsync(connection, _footprint.Accounts.Count + SystemAccountsMax, cancellationToken).ConfigureAwait(false);
            await numbers.Lots.EnsureAsync(connection, _footprint.Ids.Count + 1, cancellationToken).ConfigureAwait(false);
        }

        if (_footprint.ExpireMax > 0) await PlanDueAsync(connection, cancellationToken).ConfigureAwait(false);
        _state = new(_footprint, numbers.Accounts, numbers.Lots);
        _writer = new(_state, shard);
        _machine = new(_state, time, last.RecordedAt);
        await new BatchLoader(connection, _footprint, _state, shard).LoadAsync(cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < group.Count; i++)
        {
            try
            {
                Work(group[i], BoundOf(i));
            }
            catch (Exception fault) when (fault is not NotPlannedException)
            {
                throw new RequestFaultException(group[i], fault);
            }
        }
    }

    /// <summary>Nothing to write: a look-up of ids, or nothing due.</summary>
    public bool IsEmpty => _writer.IsEmpty;

    public Task CommitAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => _writer.CommitAsync(connection, cancellationToken);

    private int BoundOf(int index) => bulkCount > 0 && index == group.Count - 1 ? bulkCount : int.MaxValue;

    private void Plan()
    {
        foreach (var request in group)
            if (request.Owner is { } owner) _footprint.Tasks.Add(owner.Task);
        var planned = group.SelectMany((r, i) => plans.Of(r, BoundOf(i))).ToArray();
        var made = planned.Select(p => p.Command).OfType<PutCampaign>().GroupBy(p => p.Campaign.Id, StringComparer.Ordinal).ToDictionary(p => p.Key, p => p.First().Campaign.Currency, StringComparer.Ordinal);
        foreach (var command in planned) _footprint.Add(command, id => catalog.View.FindCampaign(id)?.Currency ?? made.GetValueOrDefault(id));
    }

    /// <summary>Expiry finds its rows before they are locked; what is no longer due under the lock is left alone.</summary>
    private async Task PlanDueAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var now = Math.Max(EventTime.Now(time).UnixMilliseconds, last.RecordedAt / 1000);
        foreach (var (sql, add) in new (string, Action<NpgsqlDataReader>)[]
        {
            ("SELECT d.redemption_id FROM hold h JOIN decision d ON d.entry = h.entry WHERE h.state = 1 AND h.expires_at <= $1 ORDER BY h.expires_at, h.entry LIMIT $2", row => _footprint.Resolve(row.GetString(0))),
            ("SELECT account FROM lot WHERE remaining > 0 AND expires_at IS NOT NULL AND expires_at <= $1 ORDER BY expires_at, id LIMIT $2", row => _footprint.AccountIds.Add(row.GetInt64(0))),
        })
        {
            await using var due = new NpgsqlCommand(sql, connection);
            due.Parameters.Add(new() { Value = now });
            due.Parameters.Add(new() { Value = _footprint.ExpireMax });
            await using var rows = await due.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false)) add(rows);
        }
    }

    private void Work(Request request, int max)
    {
        if (request.Owner is { } owner && !_state.Owns(owner))
        {
            request.Taken = new(owner);
            return;
        }

        switch (request)
        {
            case CommitRequest commit: Work(commit); break;
            case ExecuteRequest execute:
                for (var n = 0; n < max && !execute.IsFinished; n++) execute.Answer(Evaluate(execute.Next));
                break;
            case SettingRequest setting: Work(setting); break;
            default: throw new InvalidOperationException(request.GetType().Name);
        }
    }

    private long NextEntry => numbers.Entries.Has(1) ? numbers.Entries.Peek : throw new NotPlannedException("So many entries");

    private LedgerOutcome Evaluate(PreparedCommand command)
    {
        var (outcome, entry) = _machine.Evaluate(command, NextEntry);
        if (entry is not null) Write(entry, command);
        return outcome;
    }

    private void Work(CommitRequest commit)
    {
        var outcomes = new LedgerOutcome?[commit.Batch.Length];
        for (var i = 0; i < outcomes.Length; i++) outcomes[i] = Append(commit.Batch[i]);
        var follow = commit.FollowUps(outcomes);
        var prepared = follow.Select(PreparedAppend.From).ToArray();
        if (!plans.TryAdd(commit, prepared)) throw new NotPlannedException("A follow-up");
        var records = prepared.Length == 0 ? [] : new LogRecord[prepared.Length];
        for (var i = 0; i < records.Length; i++)
        {
            var append = follow[i];
            var position = numbers.Entries.Peek;
            Append(prepared[i]);
            records[i] = new(position, append.Topic, append.Key, append.Value, append.At, append.StateHash);
        }

        commit.Receipt = new(_logged, outcomes, records);
    }

    private LedgerOutcome? Append(PreparedAppend append)
    {
        var (outcome, entry, command) = _machine.Append(append, NextEntry);
        if (entry is not null) Write(entry, command);
        return outcome;
    }

    private void Write(LedgerEntry entry, PreparedCommand? command)
    {
        numbers.Entries.Take();
        if (entry.Refusal is LedgerRefusal.StaleCampaign) _stale = true;
        _writer.Add(entry, command);
        if (entry.Topic is not null) _logged = entry.Position;
    }

    private void Work(SettingRequest setting)
    {
        if (setting.Actor != Actor.System) Write(_machine.AppendSetting(setting.Actor, setting.Scope, setting.Name, setting.Value, NextEntry), null);
        _writer.Add(setting);
        _state.PutSetting(setting.Scope, setting.Name, setting.Value);
        setting.Worked();
    }
}
