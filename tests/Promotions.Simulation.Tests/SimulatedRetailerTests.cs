using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;

namespace Promotions.Simulation.Tests;

public sealed class SimulatedRetailerTests
{
    internal static readonly EventTime Start = EventTime.From(new DateTimeOffset(2026, 2, 2, 0, 0, 0, TimeSpan.Zero));

    internal static SimulationOptions Options(ulong seed = 1, int customers = 6_000, int days = 60) => new() { Seed = seed, Start = Start, Customers = customers, Days = days };

    private static List<(SimulatedEvent Event, DecisionFeedback? Feedback)> Run(SimulationOptions options)
    {
        var all = new List<(SimulatedEvent, DecisionFeedback?)>();
        new ReferenceCheckout().Run(new SimulatedRetailer(options), (happened, feedback) => all.Add((happened, feedback)));
        return all;
    }

    [Fact]
    public void The_same_seed_and_feedback_give_the_same_stream_and_another_seed_another()
    {
        static string[] Lines(ulong seed) => [.. Run(Options(seed, 1_500, 30)).Select(static one => Line(one.Event))];
        var first = Lines(5);
        Assert.True(first.Length > 2_000, $"{first.Length} events");
        Assert.Equal(first, Lines(5));
        Assert.NotEqual(first, Lines(6));
    }

    [Fact]
    public void Time_never_goes_back_and_everything_refers_to_what_was_before()
    {
        var last = default(EventTime);
        var attempts = new HashSet<string>();
        var orders = new Dictionary<string, OrderPlaced>();
        foreach (var (happened, _) in Run(Options()))
        {
            Assert.True(happened.At >= last, $"{happened} after {last}");
            last = happened.At;
            switch (happened)
            {
                case RedemptionAttempted { Request: var request }:
                    Assert.True(attempts.Add(request.Id), $"{request.Id} twice");
                    Assert.Equal(happened.At, request.At);
                    Assert.Equal(32, request.RequestHash.Length);
                    Assert.True(Identifier.IsValid(request.Id) && Identifier.IsValid(request.Customer.Id) && Identifier.IsValid(request.Cart.OrderId), request.Id);
                    Assert.True(request.Customer.RegisteredAt <= request.At, $"{request.Customer} acts before it registers");
                    break;
                case CaptureIntended { Capture.RedemptionId: var id }: Assert.Contains(id, attempts); break;
                case VoidIntended { Void.RedemptionId: var id }: Assert.Contains(id, attempts); break;
                case Labelled { Label.RedemptionId: var id }: Assert.Contains(id, attempts); break;
                case Ordered { Order: var order }:
                    Assert.True(orders.TryAdd(order.Id, order), $"{order.Id} twice");
                    Assert.True(order.Total >= 0);
                    if (order.RedemptionId is { } redemption) Assert.Contains(redemption, attempts);
                    break;
                case Returned { Return: var back }: Assert.InRange(back.Amount, 1, orders[back.OrderId].Total); break;
            }
        }
    }

    [Fact]
    public void Campaigns_are_ones_that_the_engine_takes_and_codes_are_unique()
    {
        var defined = new HashSet<string>();
        var codes = new HashSet<string>();
        foreach (var (happened, _) in Run(Options(days: 50)))
        {
            if (happened is CampaignsDefined { Campaigns: var campaigns })
                foreach (var campaign in campaigns)
                {
                    Assert.Empty(CampaignRules.Validate(campaign));
                    Assert.True(defined.Add(campaign.Id));
                }

            if (happened is not CouponsAdded { Coupons: var coupons }) continue;
            Assert.All(coupons, coupon => Assert.True(codes.Add(coupon.Code) && defined.Contains(coupon.CampaignId) && !coupon.Code.Any(char.IsLower), coupon.Code));
        }

        Assert.True(codes.Count > 1_000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Abuse_is_some_percent_of_attempts_and_every_shipped_kind_occurs(ulong seed)
    {
        var attempts = Run(Options(seed, 20_000)).Select(static one => one.Event).OfType<RedemptionAttempted>().ToList();
        var kinds = attempts.CountBy(static one => one.Truth).ToDictionary();
        var share = attempts.Count(static one => one.Truth.Abuse) / (double)attempts.Count;
        Assert.True(share is > 0.02 and < 0.08, $"{share:P2} of {attempts.Count}: {string.Join(", ", kinds)}");
        foreach (var kind in new[] { "account_farm", "code_enumeration", "leaked_code", "refund_after_earn" }) Assert.True(kinds.GetValueOrDefault(new(true, kind)) >= 20, $"{kind}: {string.Join(", ", kinds)}");
    }

    [Fact]
    public void Honest_people_who_look_like_abusers_exist()
    {
        var attempts = Run(Options()).Select(static one => one.Event).OfType<RedemptionAttempted>().Where(static one => !one.Truth.Abuse).ToList();
        foreach (var kind in new[] { HonestKind.Influencer, HonestKind.Gift, HonestKind.Household, HonestKind.SharedIp, HonestKind.Till, HonestKind.BargainHunter })
            Assert.True(attempts.Count(one => one.Truth.Kind == kind) >= 10, $"{kind}: {attempts.Count(one => one.Truth.Kind == kind)}");

        Assert.Contains(attempts.Where(static one => one.Request.Context.DeviceId is not null).GroupBy(static one => one.Request.Context.DeviceId), static device => device.Select(static one => one.Request.Customer.Id).Distinct().Count() >= 10);
        var burst = attempts.Where(static one => one.Truth.Kind == HonestKind.Influencer).ToList();
        Assert.True(burst.CountBy(static one => one.At.UnixMilliseconds / 86_400_000).Max(static day => day.Value) >= burst.Count / 5, "the influencer's followers come in a burst");
    }

    [Fact]
    public void Labels_come_late_by_their_kind()
    {
        var at = new Dictionary<string, RedemptionAttempted>();
        var counts = new Dictionary<string, int>();
        foreach (var (happened, _) in Run(Options(days: 120)))
        {
            if (happened is RedemptionAttempted attempt) at.Add(attempt.Request.Id, attempt);
            if (happened is not Labelled { Label: var label }) continue;
            var delay = TimeSpan.FromMilliseconds(label.At.UnixMilliseconds - at[label.RedemptionId].At.UnixMilliseconds);
            counts[label.Source] = counts.GetValueOrDefault(label.Source) + 1;
            if (label.Source == "review") Assert.InRange(delay.TotalHours, 0, 48.001);
            else
            {
                Assert.InRange(delay.TotalDays, 7, 60.001);
                Assert.True(label.Abuse && at[label.RedemptionId].Truth.Abuse);
            }
        }

        Assert.True(counts.GetValueOrDefault("review") > 20 && counts.GetValueOrDefault("chargeback") > 20 && counts.GetValueOrDefault("refund") > 20, string.Join(", ", counts));
    }

    [Fact]
    public void A_decision_that_was_not_told_is_waited_for_and_an_unknown_one_refused()
    {
        var retailer = new SimulatedRetailer(Options(customers: 500));
        var open = new List<RedemptionRequest>();
        Pull pull;
        while ((pull = retailer.TryNext(out var next)) is Pull.Event)
            if (next is RedemptionAttempted attempt) open.Add(attempt.Request);

        Assert.Equal(Pull.AwaitingFeedback, pull);
        Assert.Equal(Pull.AwaitingFeedback, retailer.TryNext(out _));
        Assert.Throws<ArgumentException>(() => retailer.Observe(new("nobody", RedemptionStatus.Approved, RefusalCode.None, 0, [])));
        foreach (var request in open) retailer.Observe(new(request.Id, RedemptionStatus.Approved, RefusalCode.None, 100, []));
        Assert.Throws<ArgumentException>(() => retailer.Observe(new(open[0].Id, RedemptionStatus.Approved, RefusalCode.None, 0, [])));
        Assert.Equal(Pull.Event, retailer.TryNext(out _));
    }

    [Fact]
    public void Live_goes_on_from_now_at_about_the_rate_asked_for()
    {
        var retailer = new SimulatedRetailer(Options(customers: 2_000, days: 20));
        var checkout = new ReferenceCheckout();
        checkout.Run(retailer, static (_, _) => { });
        var now = Start.Plus(TimeSpan.FromDays(20));
        retailer.GoLive(now, 0.2);
        var attempts = 0;
        while (retailer.PeekTime() < now.Plus(TimeSpan.FromHours(6)))
        {
            Assert.Equal(Pull.Event, retailer.TryNext(out var next));
            Assert.True(next!.At >= now);
            if (checkout.Take(next) is not { } feedback) continue;
            retailer.Observe(feedback);
            attempts++;
        }

        Assert.InRange(attempts / (6 * 3_600.0), 0.1, 0.4);
    }

    private static string Line(SimulatedEvent happened) => happened switch
    {
        RedemptionAttempted a => $"{a.At} {a.Request.Id} {a.Request.Cart.Subtotal} {a.Request.Redeemables[0].Code} {a.Request.Context} {a.Truth}",
        Ordered o => $"{o.At} {o.Order.Id} {o.Order.Total} {o.Order.RedemptionId}",
        CampaignsDefined c => $"{c.At} {c.Campaigns.Count}",
        CouponsAdded c => $"{c.At} {string.Join(' ', c.Coupons.Select(static coupon => coupon.Code))}",
        Labelled l => $"{l.At} {l.Label.Id} {l.Label.Abuse} {l.Label.Source}",
        var other => other.ToString(),
    };
}
