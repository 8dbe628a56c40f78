using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Simulation.Abuse;
using Promotions.Simulation.Shop;

namespace Promotions.Simulation;

/// <summary>What honest people and abusers do, and what follows a decision.</summary>
public sealed partial class SimulatedRetailer
{
    /// <summary>No lift of all campaigns together is above it.</summary>
    private const double LiftMax = 2;

    private void Visit(int customer, long at)
    {
        var person = _population.Of(customer);
        var key = Draws.Key(_options.Seed, Purpose.Visit, customer, at);
        var draws = new Draws(key);
        var place = _population.PlaceOf(customer, person, at, ref draws);
        var value = draws.LogNormal(person.OrderMedian, 0.55);
        var fill = new Draws(draws.Next());
        if (_states.TryGetValue(customer, out var known)) value *= known.BasketLift(at);
        var reference = _population.Reference(customer);
        var cart = _assortment.Fill(Id("o", customer, at, 0), value, 5, !place.Till, ref fill);

        if (ChooseCode(customer, person, at, ref draws) is not { } choice)
        {
            var order = _events.Order(place.Channel, reference, cart, 0, null, new(at));
            _ready.Enqueue(order);
            PlanReturn(order, key);
            return;
        }

        var (code, kind) = choice;
        if (kind == HonestKind.Plain)
            kind = place.Till ? HonestKind.Till : person.BargainHunter ? HonestKind.BargainHunter : place.Shared ? HonestKind.SharedIp : person.HouseholdSize > 1 ? HonestKind.Household : kind;
        var tries = 0;
        var when = at;
        if (person.BargainHunter && draws.Chance(0.5))
            for (var wrong = 1 + draws.Below(2); wrong > 0; wrong--, when += draws.Between(8_000L, 90_000L))
                Try(draws.Chance(0.5) ? ShopCampaigns.EndedCode : Mistype(code, ref draws), draws.Chance(0.5) ? AttemptKind.Validation : AttemptKind.Redemption, false);
        else if (draws.Chance(0.06))
        {
            Try(draws.Chance(0.4) ? Mistype(code, ref draws) : code, AttemptKind.Validation, false);
            when += draws.Between(5_000L, 120_000L);
        }

        Try(code, AttemptKind.Redemption, true);

        void Try(string with, AttemptKind what, bool final)
        {
            var request = _events.Request(what, Id("r", customer, at, tries), place.Channel, reference, cart, EventFactory.Coupons(with), place.Context, new(when));
            var pending = new Pending(request, new(false, kind), Draws.Key(key, Purpose.Settle, tries++), customer, null, final);
            Plan(when, new Intent.Attempt(pending));
        }
    }

    /// <summary>The code that this person tries now, if any. Until the first try of a campaign it depends on nothing that its arm could change.</summary>
    private (string Code, string Kind)? ChooseCode(int customer, in Person person, long at, ref Draws draws)
    {
        // The same number of draws whatever happened before: a customer's later visits then differ between arms only where the arm matters.
        var (welcome, mila, partner, gift, comeback, season) = (draws.Unit(), draws.Unit(), draws.Unit(), draws.Unit(), draws.Unit(), draws.Unit());
        var state = StateOf(customer);
        var sinceRegistered = at - person.RegisteredMs;
        if (person.Follower && at >= _start.Plus(TimeSpan.FromDays(ShopCampaigns.InfluencerDay)).UnixMilliseconds && state.MilaTries < 1 && mila < 0.85)
        {
            state.MilaTries++;
            return (ShopCampaigns.InfluencerCode, HonestKind.Influencer);
        }

        if (sinceRegistered < 14 * ShopCalendar.DayMs && !state.WelcomeTried && welcome < 0.7)
        {
            state.WelcomeTried = true;
            return (ShopCampaigns.WelcomeCode, HonestKind.Plain);
        }

        for (var cycle = 0; cycle < _campaigns.Comeback.Count; cycle++)
        {
            var campaign = _campaigns.Comeback[cycle];
            if (!IsRunning(campaign, at) || state.HasTriedComeback(cycle) || comeback >= 0.6 || _campaigns.ComebackCodeOf(customer, cycle) is not { } code) continue;
            state.TryComeback(cycle);
            return (code, HonestKind.Plain);
        }

        if (!state.GiftTried && gift < 0.4 && _campaigns.GiftCodeOf(customer) is { } giftCode)
        {
            state.GiftTried = true;
            return (giftCode, HonestKind.Gift);
        }

        if (person.Partner && partner < 0.5) return (ShopCampaigns.PartnerCode, HonestKind.Plain);
        if (!IsRunning(_campaigns.Season, at) || state.SeasonTries >= 3 || season >= (person.BargainHunter ? 0.75 : 0.38)) return null;
        state.SeasonTries++;
        return (ShopCampaigns.SeasonCode, HonestKind.Plain);
    }

    private static bool IsRunning(Campaign campaign, long at) => at >= campaign.StartsAt.UnixMilliseconds && at < campaign.EndsAt!.Value.UnixMilliseconds;

    private static string Mistype(string code, ref Draws draws)
    {
        var at = draws.Below(code.Length);
        return string.Concat(code.AsSpan(0, at), code.AsSpan(Math.Min(code.Length, at + 1)), "X");
    }

    private void Act(RingAccount account, int attempt, long at)
    {
        var ring = account.Ring;
        var draws = ring.AttemptDraws(account.Index, attempt);
        var id = ring.AttemptId(account.Index, attempt);
        var cart = _assortment.Fill($"{id}-o", ring.Scenario.Cart.ValueMinorUnits.Draw(ref draws), ring.Scenario.Cart.LinesMax, true, ref draws);
        var kind = draws.Chance(ring.Scenario.ValidationShare) ? AttemptKind.Validation : AttemptKind.Redemption;
        var request = _events.Request(kind, id, account.Channel, account.Customer, cart, EventFactory.Coupons(ring.DrawCode(ref draws)), account.Context, new(at));
        Ask(new(request, new(true, ring.Scenario.Kind), draws.Next(), -1, ring.Scenario, kind is AttemptKind.Redemption), at);
        if (attempt + 1 >= account.Attempts) return;
        var next = at + (long)(ring.Scenario.GapSeconds.DrawReal(ref draws) * 1_000);
        Plan(ring.NextWorkingTime(next, ref draws), new Intent.RingAct(account, attempt + 1));
    }

    private void Settle(Pending pending, long at)
    {
        var (request, feedback) = (pending.Request, pending.Feedback!);
        if (request.Kind is not AttemptKind.Redemption) return;
        var draws = new Draws(pending.Key);
        var approved = feedback.Status is RedemptionStatus.Approved or RedemptionStatus.Review;
        // All drawn before looking, so that the arms' worlds use the same numbers for the same things.
        var (captures, buysAnyway, returnKey) = (draws.Unit(), draws.Unit(), draws.Next());

        if (approved && captures < (pending.Scenario?.AfterApproval.CaptureShare ?? 0.97))
        {
            _ready.Enqueue(_events.Capture(request.Id, new(at)));
            Sell(feedback.DiscountMinorUnits, request.Id);
        }
        else if (approved) _ready.Enqueue(_events.Void(request.Id, new(at)));
        else if (pending.Final && pending.Scenario is null && buysAnyway < (feedback.Status is RedemptionStatus.Blocked ? 0.4 : 0.9)) Sell(0, null);

        if (approved && pending.Customer >= 0)
            foreach (var (campaignId, arm) in feedback.Arms)
                if (arm is Arm.Treated) StateOf(pending.Customer).Lift(campaignId, EndOf(campaignId));
        PlanLabel(pending, approved, at);

        void Sell(long discount, string? redemptionId)
        {
            var order = _events.Order(request.Channel, request.Customer, request.Cart, discount, redemptionId, new(at));
            _ready.Enqueue(order);
            if (pending.Scenario is { } scenario) PlanReturn(order, scenario.AfterApproval, returnKey);
            else PlanReturn(order, returnKey);
        }
    }

    private long EndOf(string campaignId) => _campaigns.All.First(campaign => campaign.Id == campaignId).EndsAt!.Value.UnixMilliseconds;

    /// <summary>Every sixteenth honest order comes back within two weeks, in whole or in part.</summary>
    private void PlanReturn(Ordered order, ulong key)
    {
        var draws = Draws.For(key, Purpose.Return, 0);
        if (!draws.Chance(0.06)) return;
        Return(order, draws.Chance(0.4) ? 1 : draws.Between(0.2, 0.8), draws.Between(2 * ShopCalendar.DayMs, 14 * ShopCalendar.DayMs));
    }

    private void PlanReturn(Ordered order, AfterApproval after, ulong key)
    {
        var draws = Draws.For(key, Purpose.Return, 0);
        if (draws.Chance(after.ReturnShare)) Return(order, after.ReturnedPart, (long)(after.ReturnAfterHours.DrawReal(ref draws) * ShopCalendar.HourMs));
    }

    private void Return(Ordered order, double part, long after)
    {
        var amount = (long)(order.Order.Total * part);
        if (amount > 0) Give(EventFactory.Return(order, amount, order.At.Plus(TimeSpan.FromMilliseconds(after))));
    }

    /// <summary>A reviewer judges within hours what was stopped, a bank or refund desk within weeks what got through; a few good ones are audited.</summary>
    private void PlanLabel(Pending pending, bool approved, long at)
    {
        const double ReviewersRight = 0.97;
        var (request, status) = (pending.Request, pending.Feedback!.Status);
        var draws = Draws.For(pending.Key, Purpose.Label, 0);
        var (looksAt, right, isLate) = (draws.Unit(), draws.Unit(), draws.Unit());
        var labels = pending.Scenario?.Labels;
        var isReviewed = status is RedemptionStatus.Review or RedemptionStatus.Blocked || looksAt < (approved ? (labels is null ? 0.02 : 0) : labels?.RefusedReviewShare ?? 0.01);
        if (isReviewed)
        {
            var hours = labels?.ReviewHours.DrawReal(ref draws) ?? draws.Between(1.0, 48);
            Label(right < ReviewersRight ? pending.Truth.Abuse : !pending.Truth.Abuse, "review", hours);
        }
        else if (approved && labels is not null && isLate < labels.LateShare) Label(true, labels.LateSource, labels.LateDays.DrawReal(ref draws) * 24);

        void Label(bool abuse, string source, double hours) =>
            Give(EventFactory.Label(request, abuse, source, new(Math.Max(at, request.At.UnixMilliseconds + (long)(hours * ShopCalendar.HourMs)))));
    }

    private void Give(SimulatedEvent later) => Plan(later.At.UnixMilliseconds, new Intent.Give(later));

    /// <summary>What a customer has tried and how campaigns changed them. Kept only for those who visited.</summary>
    private sealed class CustomerState
    {
        private byte _comebacks;
        private (string CampaignId, long EndMs)[] _lifts = [];

        public bool WelcomeTried { get; set; }
        public bool GiftTried { get; set; }
        public byte MilaTries { get; set; }
        public byte SeasonTries { get; set; }

        public bool HasTriedComeback(int cycle) => (_comebacks & (1 << cycle)) != 0;
        public void TryComeback(int cycle) => _comebacks |= (byte)(1 << cycle);

        public void Lift(string campaignId, long endMs)
        {
            if (!Array.Exists(_lifts, lift => lift.CampaignId == campaignId)) _lifts = [.. _lifts, (campaignId, endMs)];
        }

        public double VisitLift(long at)
        {
            var lift = 1.0;
            foreach (var (campaignId, endMs) in _lifts)
                if (at < endMs) lift *= 1 + ShopCampaigns.EffectOf(campaignId).VisitLift;
            return Math.Min(lift, LiftMax);
        }

        public double BasketLift(long at)
        {
            var lift = 1.0;
            foreach (var (campaignId, endMs) in _lifts)
                if (at < endMs) lift *= 1 + ShopCampaigns.EffectOf(campaignId).BasketLift;
            return lift;
        }
    }
}
