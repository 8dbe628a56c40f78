using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Booking;

public sealed partial class LedgerMachine
{
    private (LedgerRefusal, string?) Decide(DecideRedemption command, PreparedCommand prepared)
    {
        var proposal = command.Proposal;
        var request = proposal.Request;
        if (request.Deadline is { } deadline && _now > deadline) return (LedgerRefusal.DeadlinePassed, null);
        if (FaultOf(proposal) is { } fault) return (LedgerRefusal.InvalidCommand, fault);
        if (state.WasVoidedBefore(request.Id))
        {
            // The void came first: the late request is decided for ever, as a refusal.
            Record(prepared, proposal, RedemptionStatus.Rejected, RefusalCode.VoidedBefore, null, [], []);
            _entry.RecordsId = true;
            return (LedgerRefusal.VoidedBefore, null);
        }

        if (IsStale(proposal)) return (LedgerRefusal.StaleCampaign, null);

        LogArms(proposal.Arms);
        var status = proposal.Proposed;
        var refusal = proposal.Refusal;
        var takes = new List<Take>(4);
        var lotTakes = new List<LotTake>();
        if (status is RedemptionStatus.Approved or RedemptionStatus.Review)
        {
            var before = Here;
            var limit = TakeAll(proposal, takes, lotTakes);
            var passes = limit is not RefusalCode.None || MayPass(proposal);
            if (limit is not RefusalCode.None || !passes || request.Kind is AttemptKind.Validation)
            {
                Undo(before);
                takes.Clear();
                lotTakes.Clear();
            }

            if (limit is not RefusalCode.None) (status, refusal) = (RedemptionStatus.Rejected, limit);
            else if (!passes) status = RedemptionStatus.Blocked;
        }

        var holds = status is RedemptionStatus.Approved or RedemptionStatus.Review && request.Kind is AttemptKind.Redemption;
        Record(prepared, proposal, status, refusal, holds ? _now.Plus(proposal.HoldFor) : null, takes, lotTakes);
        foreach (var take in takes)
            if (take.Account.Key.Kind is AccountKind.CustomerBalance) TellBalance(take.Account, -take.Amount, take.Amount, "hold", request.Id);
        return default;
    }

    private void Record(
        PreparedCommand prepared, DecisionProposal proposal, RedemptionStatus status, RefusalCode refusal, EventTime? holdExpiresAt, List<Take> takes, List<LotTake> lotTakes)
    {
        var decided = new BookedDecision(_entry.Position, proposal, status, refusal, _now, holdExpiresAt) { Takes = takes, LotTakes = lotTakes };
        _entry.Decided = decided;
        Tell(OutboxTypes.Decision, proposal.Request.Id, prepared.Payload!.Finish(_entry.Position, status, refusal, _now, holdExpiresAt));
    }

    private static string? FaultOf(DecisionProposal proposal)
    {
        if (proposal.HoldFor <= TimeSpan.Zero || proposal.HoldFor > HoldForMax) return "hold_for";
        if (proposal.Proposed is RedemptionStatus.None) return "proposed";
        if (proposal.Request.Kind is AttemptKind.None) return "kind";
        if (proposal.Risk.LetThrough is { } draw)
        {
            if (draw.Value < 0 || draw.ValuePerDayMax < 0 || draw.Propensity is not (> 0 and <= 1)) return "let_through";
            if (draw.Drawn && (proposal.Risk.Verdict is not RedemptionStatus.Blocked || proposal.Risk.HardRule is not null)) return "let_through";
        }

        foreach (var priced in proposal.Priced.Redeemables)
        {
            if (priced.Discount < 0) return "discount";
            if (priced.Tender < 0) return "tender";
        }

        return null;
    }

    /// <summary>Whether any campaign, coupon or arm that the price rests on has moved on since.</summary>
    private bool IsStale(DecisionProposal proposal)
    {
        foreach (var priced in proposal.Priced.Redeemables)
        {
            if (priced.CampaignId is null) continue;
            if (state.FindCampaign(priced.CampaignId)?.Version != priced.CampaignVersion) return true;
            if (priced.Coupon is not { } used) continue;
            if (state.FindCoupon(used.Code) is not { } now) return true;
            if (now.Revoked != used.Revoked || now.CustomerId != used.CustomerId || now.UsesMax != used.UsesMax || now.CampaignId != used.CampaignId) return true;
        }

        foreach (var arm in proposal.Arms)
        {
            var first = state.FindArm(arm.CampaignId, arm.CustomerId);
            if (first is not Arm.None && arm.Arm is not Arm.None && first != arm.Arm) return true;
        }

        return false;
    }

    /// <summary>Takes every limit and balance, or says which one refuses first, in the request's order. The caller undoes a refused one.</summary>
    private RefusalCode TakeAll(DecisionProposal proposal, List<Take> takes, List<LotTake> lotTakes)
    {
        var customer = proposal.Request.Customer.Id;
        foreach (var priced in proposal.Priced.Redeemables)
        {
            if (priced.CampaignId is { } campaignId)
            {
                var campaign = state.FindCampaign(campaignId) ?? throw new InvalidOperationException($"Campaign {campaignId} was current a moment ago.");
                var limits = campaign.Limits;
                if (priced.Coupon is { } coupon && !TakeLimit(AccountKey.CouponUses(coupon.Code), coupon.UsesMax, 1, takes)) return RefusalCode.CouponUsesExhausted;
                if (!TakeLimit(AccountKey.CampaignUses(campaignId), limits.UsesMax, 1, takes)) return RefusalCode.CampaignUsesExhausted;
                if (!TakeLimit(AccountKey.CustomerUses(campaignId, customer), limits.UsesPerCustomerMax, 1, takes)) return RefusalCode.CustomerUsesExhausted;
                if (!TakeLimit(AccountKey.CampaignBudget(campaignId, campaign.Currency), limits.BudgetMinorUnits, priced.Discount, takes)) return RefusalCode.BudgetExhausted;
            }
            else if (priced.Tender > 0 && AccountKey.Paying(priced.Redeemable.Type, customer, proposal.Request.Cart.Currency) is { } balance)
            {
                if (!TakeBalance(balance, priced.Tender, takes, lotTakes)) return RefusalCode.InsufficientBalance;
            }
        }

        return RefusalCode.None;
    }

    /// <summary>Takes a would-be block's value from what its day may let through. It stays taken whatever becomes of the hold, so that the room that was left for each can be counted from the decisions alone.</summary>
    /// <returns>False where the day has no room left for it: then it is blocked, as the model said.</returns>
    private bool MayPass(DecisionProposal proposal)
    {
        if (proposal.Risk.LetThrough is not { Drawn: true } draw) return true;
        var key = AccountKey.LetThrough(proposal.Request.At, proposal.Request.Cart.Currency);
        var day = state.Account(key);
        if (draw.Value > draw.ValuePerDayMax - day.Used) return false;
        if (draw.Value > 0) Post(state.Account(AccountKey.Issuance(key.Unit)), Side.Free, day, Side.Used, draw.Value);
        return true;
    }

    /// <summary>First brings the account's capacity to the limit as it is now (a campaign's later version may have another), then takes from it.
    /// Without a limit the capacity is issued as it is taken.</summary>
    private bool TakeLimit(AccountKey key, long? limit, long amount, List<Take> takes)
    {
        if (amount == 0) return true;
        var account = state.Account(key);
        var issuance = state.Account(AccountKey.Issuance(key.Unit));
        if (limit is not { } max)
        {
            Post(issuance, Side.Free, account, Side.Held, amount);
            takes.Add(new(account, issuance, Side.Free, amount));
            return true;
        }

        var missing = max - account.Capacity;
        if (missing > 0) Post(issuance, Side.Free, account, Side.Free, missing);
        else if (missing < 0 && account.Free > 0) Post(account, Side.Free, issuance, Side.Free, Math.Min(-missing, account.Free));
        if (account.Free < amount) return false;
        Post(account, Side.Free, account, Side.Held, amount);
        takes.Add(new(account, account, Side.Free, amount));
        return true;
    }

    private bool TakeBalance(AccountKey key, long amount, List<Take> takes, List<LotTake> lotTakes)
    {
        var account = state.Account(key);
        if (account.Free < amount) return false;
        if (HasLots(key))
        {
            var lots = state.OpenLotsOf(account).Where(l => l.Remaining > 0 && !l.IsExpired(_now)).ToArray();
            Array.Sort(lots, EarnedLot.CompareForSpending);
            var rest = amount;
            foreach (var lot in lots)
            {
                var part = Math.Min(rest, lot.Remaining);
                Move(lot, LotMoveKind.Take, part);
                lotTakes.Add(new(lot, part));
                rest -= part;
                if (rest == 0) break;
            }

            if (rest > 0) return false;
        }

        Post(account, Side.Free, account, Side.Held, amount);
        takes.Add(new(account, account, Side.Free, amount));
        return true;
    }

    /// <summary>Points and gift value are earned and expire in lots; cash and refunds are one sum.</summary>
    private static bool HasLots(AccountKey key) => key.Member is "points" or "gift";
}
