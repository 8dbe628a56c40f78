using System.Globalization;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger.Outbox;

namespace Promotions.Ledger.Booking;

public sealed partial class LedgerMachine
{
    private (LedgerRefusal, string?) Capture(CaptureHold command)
    {
        if (state.FindDecision(command.RedemptionId) is not { } decision) return (LedgerRefusal.UnknownRedemption, null);
        _about = decision;
        if (RefusalOf(decision.Hold) is not LedgerRefusal.None and var refusal) return (refusal, null);
        if (decision.HoldExpiresAt <= _now) return (LedgerRefusal.HoldExpired, null);
        if (decision.Status is RedemptionStatus.Review
            && state.FindSetting("channel:" + decision.Proposal.Request.Channel, "capture_waits_for_review") == "true"
            && state.FindReview(command.RedemptionId) is null)
            return (LedgerRefusal.ReviewPending, null);

        foreach (var take in decision.Takes)
        {
            if (take.Account.Key.Kind is AccountKind.CustomerBalance)
            {
                Post(take.Account, Side.Held, state.Account(AccountKey.Merchant(take.Account.Key.Unit)), Side.Free, take.Amount);
                TellBalance(take.Account, 0, -take.Amount, "capture", command.RedemptionId);
            }
            else
            {
                Post(take.Account, Side.Held, take.Account, Side.Used, take.Amount);
            }
        }

        foreach (var take in decision.LotTakes) Move(take.Lot, LotMoveKind.Spend, take.Amount);
        Resolve(decision, HoldState.Captured, OutboxTypes.HoldCaptured, null);
        return default;
    }

    private (LedgerRefusal, string?) Void(VoidHold command)
    {
        if (state.FindDecision(command.RedemptionId) is not { } decision)
        {
            if (!Domain.Identifier.IsValid(command.RedemptionId)) return (LedgerRefusal.InvalidCommand, "redemption_id");
            _entry.VoidedBefore = command.RedemptionId;
            return (LedgerRefusal.None, "The redemption is not known yet; it will be refused when it comes.");
        }

        _about = decision;
        if (RefusalOf(decision.Hold) is not LedgerRefusal.None and var refusal) return (refusal, null);
        Release(decision, HoldState.Voided, OutboxTypes.HoldVoided, "void", command.Reason);
        return default;
    }

    private static LedgerRefusal RefusalOf(HoldState hold) => hold switch
    {
        HoldState.Held => LedgerRefusal.None,
        HoldState.Captured => LedgerRefusal.HoldCaptured,
        HoldState.Voided => LedgerRefusal.HoldVoided,
        HoldState.Expired => LedgerRefusal.HoldExpired,
        _ => LedgerRefusal.NothingHeld,
    };

    /// <summary>Gives everything back to where it came from, points to their very lots. A lot that expired meanwhile cannot be spent again: the next
    /// <see cref="ExpireDue"/> moves it to breakage.</summary>
    private void Release(BookedDecision decision, HoldState to, string type, string cause, string? reason)
    {
        for (var i = decision.Takes.Count - 1; i >= 0; i--)
        {
            var take = decision.Takes[i];
            Post(take.Account, Side.Held, take.Source, take.SourceSide, take.Amount);
            if (take.Account.Key.Kind is AccountKind.CustomerBalance) TellBalance(take.Account, take.Amount, -take.Amount, cause, decision.Proposal.Request.Id);
        }

        for (var i = decision.LotTakes.Count - 1; i >= 0; i--) Move(decision.LotTakes[i].Lot, LotMoveKind.Release, decision.LotTakes[i].Amount);
        Resolve(decision, to, type, reason);
    }

    private void Resolve(BookedDecision decision, HoldState to, string type, string? reason)
    {
        decision.Hold = to;
        _entry.HoldChangeList.Add(new(decision, to));
        Tell(type, decision.Proposal.Request.Id, OutboxWriter.Hold(decision.ToDecision(), _entry.Position, _now, reason));
    }

    /// <summary>Nothing due writes nothing: a timer that asks every second leaves no trace until there is work.</summary>
    private Evaluation Expire(ExpireDue command, PreparedCommand prepared, long position)
    {
        if (command.Max < 1)
        {
            Open(prepared, position);
            return Close(LedgerRefusal.InvalidCommand, "max");
        }

        var holds = state.HoldsDue(_now, command.Max);
        var lots = new HashSet<EarnedLot>(holds.Count < command.Max ? state.LotsDue(_now, command.Max - holds.Count) : []);
        if (holds.Count == 0 && lots.Count == 0) return new(new(position - 1, LedgerRefusal.None, false, null, "0"), null);

        Open(prepared, position);
        foreach (var hold in holds)
        {
            Release(hold, HoldState.Expired, OutboxTypes.HoldExpired, "expired_hold", null);
            foreach (var take in hold.LotTakes)
                if (take.Lot.IsExpired(_now)) lots.Add(take.Lot);
        }

        foreach (var lot in lots.OrderBy(l => l.Id))
        {
            var amount = lot.Remaining;
            Move(lot, LotMoveKind.Expire, amount);
            Post(lot.Account, Side.Free, state.Account(AccountKey.Breakage(lot.Account.Key.Unit)), Side.Free, amount);
            TellBalance(lot.Account, -amount, 0, "expired_lot", lot.Origin);
        }

        return Close(LedgerRefusal.None, (holds.Count + lots.Count).ToString(CultureInfo.InvariantCulture));
    }

    private (LedgerRefusal, string?) Label(RecordLabel command)
    {
        var label = command.Label;
        if (state.FindDecision(label.RedemptionId) is not { } decision) return (LedgerRefusal.UnknownRedemption, null);
        _about = decision;
        _entry.Label = label;
        Tell(OutboxTypes.Label, label.RedemptionId, OutboxWriter.Label(label, _entry.Position));
        if (label.Abuse && decision.Hold is HoldState.Held) Release(decision, HoldState.Voided, OutboxTypes.HoldVoided, "void", "abuse");
        return default;
    }
}
