using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Ledger.Formats;
using Promotions.Ledger.Outbox;
using Promotions.Ledger.Writing;

namespace Promotions.Ledger.Booking;

/// <param name="Entry">What is to be written; null when nothing changes (a repeat, or nothing due).</param>
public readonly record struct Evaluation(LedgerOutcome Outcome, LedgerEntry? Entry);

/// <summary>The ledger's rules: one command in, its outcome and effects out. Pure but for the state it is given and the clock; not thread-safe.</summary>
/// <remarks>Every backend runs these very rules, in input order: load what is touched, evaluate, write the entries set by set.</remarks>
public sealed partial class LedgerMachine(ILedgerState state, TimeProvider time, long lastRecordedAt = 0)
{
    /// <summary>A hold lives at most this long.</summary>
    public static readonly TimeSpan HoldForMax = TimeSpan.FromDays(7);

    /// <summary>Codes in one <see cref="AddCoupons"/>: an atomic step must stay short.</summary>
    public const int CouponsPerCommandMax = 10_000;

    private LedgerEntry _entry = null!;
    private long _recordedAt = lastRecordedAt;
    private EventTime _now;

    /// <summary>µs since 1970 of the last entry.</summary>
    public long LastRecordedAt => _recordedAt;

    /// <summary>Evaluates one command and applies its effects to the state.</summary>
    /// <param name="position">What its entry gets if there is one.</param>
    public Evaluation Evaluate(PreparedCommand prepared, long position)
    {
        var command = prepared.Command;
        ReadClock();
        if (state.FindCommand(command.Id) is { } recorded)
        {
            if (recorded.What.SameAs(new(prepared.Kind, prepared.ContentHash)))
                return new(new(recorded.Position, recorded.Refusal, true, DecisionOf(command), recorded.Detail), null);
            Open(prepared, position);
            return Close(LedgerRefusal.SameIdDifferentContent, "The id was used with other content.");
        }

        if (command is ExpireDue expire) return Expire(expire, prepared, position);

        Open(prepared, position);
        if (!Identifier.IsValid(command.Id)) return Close(LedgerRefusal.InvalidCommand, "id");
        try
        {
            var (refusal, detail) = Run(command, prepared);
            return Close(refusal, detail);
        }
        catch (OverflowException)
        {
            Undo(default);
            _entry.ArmList.CutTo(0);
            return Close(LedgerRefusal.InvalidCommand, "An amount leaves the range of 64 bits.");
        }
    }

    /// <summary>Evaluates what a log record stands for and gives its entry the record.</summary>
    /// <param name="position">What its entry gets if there is one.</param>
    /// <returns>Entry: null when nothing is appended. Command: that of the entry; null when the entry is the bare record.</returns>
    internal (LedgerOutcome? Outcome, LedgerEntry? Entry, PreparedCommand? Command) Append(PreparedAppend append, long position)
    {
        var record = append.Record;
        var (outcome, entry) = append.Command is { } command ? Evaluate(command, position) : default;
        var bare = entry is null && (append.Command is null || record.AppendAlways);
        if (bare) entry = OpenBare(record.Key, position);
        if (entry is null) return (outcome, null, null);
        if (record.AppendAlways || entry.Refusal is LedgerRefusal.None)
        {
            entry.Topic = record.Topic;
            entry.Key = record.Key;
            entry.Value = record.Value;
            entry.ValueHash = append.ValueHash;
            entry.At = record.At;
            entry.StateHash = record.StateHash;
        }

        return (outcome, entry, bare ? null : append.Command);
    }

    /// <summary>An entry for a changed setting: its content holds the value's hash, not the value.</summary>
    public LedgerEntry AppendSetting(Actor actor, string scope, string name, string? value, long position)
    {
        var content = CommandContent.OfSetting(scope, name, value);
        var key = scope + "/" + name;
        ReadClock();
        _recordedAt = NextStamp();
        return new()
        {
            Position = position,
            RecordedAt = _recordedAt,
            Kind = CommandKind.PutSetting,
            CommandId = key,
            Actor = actor,
            ContentHash = CommandContent.Hash(content),
            Key = key,
            Value = content,
            At = _now,
        };
    }

    /// <summary>An entry for a log record that only feeds features.</summary>
    private LedgerEntry OpenBare(string id, long position)
    {
        ReadClock();
        _recordedAt = NextStamp();
        return new() { Position = position, RecordedAt = _recordedAt, Kind = CommandKind.None, CommandId = id, Actor = Actor.System, ContentHash = ReadOnlyMemory<byte>.Empty };
    }

    private (LedgerRefusal, string?) Run(LedgerCommand command, PreparedCommand prepared) => command switch
    {
        DecideRedemption c => Decide(c, prepared),
        LogTrigger c => Trigger(c),
        CaptureHold c => Capture(c),
        VoidHold c => Void(c),
        RecordOrder c => Order(c),
        RecordReturn c => Return(c),
        RecordEngagement c => Engagement(c),
        RecordLabel c => Label(c),
        DepositCash c => Deposit(c),
        GrantPoints c => Grant(c),
        PutCampaign c => Put(c),
        AddCoupons c => Add(c),
        AssignCoupon c => Assign(c),
        RevokeCoupon c => Revoke(c),
        _ => (LedgerRefusal.InvalidCommand, "This ledger does not know the command."),
    };

    private Evaluation Close(LedgerRefusal refusal, string? detail)
    {
        _entry.Refusal = refusal;
        _entry.Detail = detail;
        if (refusal is LedgerRefusal.None) _entry.RecordsId = true;
        _recordedAt = _entry.RecordedAt;
        state.Apply(_entry);
        var decision = _entry.Decided ?? (_entry.HoldChanges.Length > 0 ? _entry.HoldChanges[0].Decision : null);
        return new(new(_entry.Position, refusal, false, decision?.ToDecision() ?? DecisionFor(refusal), detail), _entry);
    }

    /// <summary>A refusal about a hold shows the decision as it stands.</summary>
    private Decision? DecisionFor(LedgerRefusal refusal) =>
        refusal is LedgerRefusal.HoldCaptured or LedgerRefusal.HoldVoided or LedgerRefusal.HoldExpired or LedgerRefusal.NothingHeld or LedgerRefusal.ReviewPending
            ? _about?.ToDecision()
            : null;

    private BookedDecision? _about;

    private Decision? DecisionOf(LedgerCommand command) => command switch
    {
        DecideRedemption c => state.FindDecision(c.Id)?.ToDecision(),
        CaptureHold c => state.FindDecision(c.RedemptionId)?.ToDecision(),
        VoidHold c => state.FindDecision(c.RedemptionId)?.ToDecision(),
        _ => null,
    };

    private void Open(PreparedCommand prepared, long position)
    {
        _about = null;
        var (channel, key) = prepared.Command switch
        {
            DecideRedemption c => (c.Proposal.Request.Channel, c.Proposal.Request.ApiKeyId),
            RecordOrder c => (c.Order.Channel, c.Order.ApiKeyId),
            RecordEngagement c => (c.Engagement.Channel, c.Engagement.ApiKeyId),
            { Actor.Kind: "api_key" } c => (null, c.Actor.Id),
            _ => ((string?)null, (string?)null),
        };
        _entry = new()
        {
            Position = position,
            RecordedAt = NextStamp(),
            Kind = prepared.Kind,
            CommandId = prepared.Command.Id,
            Actor = prepared.Command.Actor,
            Channel = channel,
            ApiKeyId = key,
            ContentHash = prepared.ContentHash,
            Key = prepared.Command.Id,
            Value = prepared.Content,
            At = prepared.Command.At,
        };
    }

    /// <summary>The ledger's clock never goes back: a wall clock set back leaves holds and deadlines where they were.</summary>
    private void ReadClock() => _now = new(Math.Max(EventTime.Now(time).UnixMilliseconds, _recordedAt / 1000));

    private long NextStamp() => Math.Max(_now.UnixMilliseconds * 1000, _recordedAt + 1);

    private void Post(Account debit, Side debitSide, Account credit, Side creditSide, long amount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(amount, 1);
        if (debit.Key.Unit != credit.Key.Unit) throw new InvalidOperationException($"{debit.Key.Unit} and {credit.Key.Unit} never mix.");
        debit.Add(debitSide, -amount);
        try
        {
            credit.Add(creditSide, amount);
        }
        catch (OverflowException)
        {
            debit.Add(debitSide, amount);
            throw;
        }

        _entry.PostingList.Add(new(debit, debitSide, credit, creditSide, amount));
    }

    private void Move(EarnedLot lot, LotMoveKind kind, long amount)
    {
        lot.Apply(kind, amount);
        _entry.LotMoveList.Add(new(lot, kind, amount));
    }

    private readonly record struct Mark(int Postings, int LotMoves, int Outbox);

    private Mark Here => new(_entry.Postings.Length, _entry.LotMoves.Length, _entry.Outbox.Length);

    /// <summary>Takes back what was done since the mark, last first.</summary>
    private void Undo(Mark mark)
    {
        for (var i = _entry.Postings.Length - 1; i >= mark.Postings; i--)
        {
            var posting = _entry.Postings[i];
            posting.Credit.Add(posting.CreditSide, -posting.Amount);
            posting.Debit.Add(posting.DebitSide, posting.Amount);
        }

        for (var i = _entry.LotMoves.Length - 1; i >= mark.LotMoves; i--)
        {
            var move = _entry.LotMoves[i];
            move.Lot.Revert(move.Kind, move.Amount);
        }

        _entry.PostingList.CutTo(mark.Postings);
        _entry.LotMoveList.CutTo(mark.LotMoves);
        _entry.OutboxList.CutTo(mark.Outbox);
    }

    private void Tell(string type, string key, ReadOnlyMemory<byte> payload) => _entry.OutboxList.Add(new(type, key, payload, _now));

    private void TellBalance(Account account, long available, long held, string cause, string reference) =>
        Tell(OutboxTypes.BalanceChanged, account.Key.Owner,
            OutboxWriter.BalanceChanged(account.Key.Owner, account.Key.Member, account.Key.Unit, available, held, cause, reference, _entry.Position, _now));

    private static bool IsCurrency(string currency) => currency.Length == 3 && currency.All(char.IsAsciiLetterUpper);

    private void LogArms(IReadOnlyList<ArmAssignment> arms)
    {
        foreach (var arm in arms)
        {
            if (arm.Arm is Arm.None) continue;
            var known = state.FindArm(arm.CampaignId, arm.CustomerId);
            for (var i = 0; i < _entry.Arms.Length && known is Arm.None; i++)
                if (_entry.Arms[i].CampaignId == arm.CampaignId && _entry.Arms[i].CustomerId == arm.CustomerId) known = _entry.Arms[i].Arm;
            if (known is Arm.None) _entry.ArmList.Add(arm);
            if (known is Arm.None || arm.GhostOffer)
                Tell(OutboxTypes.Arm, arm.CustomerId, OutboxWriter.Arm(known is Arm.None ? arm : arm with { Arm = known }, known is Arm.None, _entry.Position));
        }
    }

    private (LedgerRefusal, string?) Trigger(LogTrigger command)
    {
        LogArms(command.Arms);
        return default;
    }
}
