using System.Security.Cryptography;
using System.Text;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using static Promotions.Domain.Tests.Shop;

namespace Promotions.Domain.Tests;

public class QualificationTests
{
    private static readonly Cart Fifty = ACart(ALine("tea", 5000));

    private static OfferList Qualify(Shop shop, FindLimitsLeft? left = null) =>
        PromotionEngine.Qualify("web-de", "anna", Fifty, shop, Noon, left ?? ((_, _, _) => LimitsLeft.Unlimited));

    [Fact]
    public void Best_offer_comes_first_and_ties_go_by_campaign_id()
    {
        var shop = new Shop().With(ACampaign("b", Off(500), Distribution.Public)).With(ACampaign("a", Off(500), Distribution.Public))
            .With(ACampaign("mine", Percent(2000), Distribution.Private)).Give("MINE", "mine", "anna").Give("BOBS", "mine", "bob");
        Assert.Equal([("mine", 1000L, 4000L), ("a", 500, 4500), ("b", 500, 4500)], Qualify(shop).Offers.Select(offer => (offer.Campaign.Id, offer.Discount, offer.Total)));
    }

    [Fact]
    public void Near_misses_say_how_much_is_missing_and_unusable_coupons_say_why()
    {
        var shop = new Shop().With(ACampaign("more", Off(500), Distribution.Public) with { Conditions = Conditions.None with { SpendMin = 6000 } })
            .With(ACampaign("old", Off(500), Distribution.Private) with { StartsAt = default, EndsAt = Noon }).Give("OLD", "old", "anna")
            .With(ACampaign("new", Off(500), Distribution.Private)).Give("GONE", "new", "anna", revoked: true);
        var offers = Qualify(shop);
        Assert.Empty(offers.Offers);
        Assert.Equal([("more", 1000L)], offers.Shortfalls.Select(one => (one.Campaign.Id, one.Missing)));
        Assert.Equal([("GONE", RefusalCode.CouponRevoked), ("OLD", RefusalCode.CampaignEnded)], offers.Unusable.Select(one => (one.Coupon.Code, one.Refusal)));
    }

    public static TheoryData<LimitsLeft, RefusalCode> Left => new()
    {
        { new(1, 500, 1, 1),          RefusalCode.None },
        { new(1, 499, 1, 1),          RefusalCode.BudgetExhausted },
        { new(1, 500, 0, 1),          RefusalCode.CustomerUsesExhausted },
        { new(0, 500, 0, 1),          RefusalCode.CampaignUsesExhausted },
        { new(0, 0, 0, 0),            RefusalCode.CouponUsesExhausted },
        { LimitsLeft.Unlimited,       RefusalCode.None },
    };

    [Theory, MemberData(nameof(Left))]
    public void Every_limit_counts_and_an_exhausted_one_triggers_no_arm(LimitsLeft left, RefusalCode refusal)
    {
        var shop = new Shop().With(ACampaign("c", Off(500), Distribution.Private) with { ControlShare = 1 }).Give("MINE", "c", "anna").Record("c", "anna", Arm.Treated);
        var offers = Qualify(shop, (campaign, code, customer) => (campaign, code, customer) == ("c", "MINE", "anna") ? left : throw new InvalidOperationException());
        Assert.Equal(refusal is RefusalCode.None ? 1 : 0, offers.Offers.Count);
        Assert.Equal(refusal is RefusalCode.None ? 1 : 0, offers.Arms.Count);
        Assert.Equal(refusal is RefusalCode.None ? [] : [refusal], offers.Unusable.Select(one => one.Refusal));
    }

    [Fact]
    public void Control_gets_no_offer_no_near_miss_and_no_reason_but_a_ghost_offer()
    {
        var shop = new Shop().With(ACampaign("open", Off(500), Distribution.Public)).Record("open", "anna", Arm.Control)
            .With(ACampaign("more", Off(500), Distribution.Public) with { Conditions = Conditions.None with { SpendMin = 6000 } }).Record("more", "anna", Arm.Control)
            .With(ACampaign("old", Off(500), Distribution.Private) with { EndsAt = Noon }).Give("OLD", "old", "anna").Record("old", "anna", Arm.Control);
        var offers = Qualify(shop);
        Assert.Empty(offers.Offers);
        Assert.Empty(offers.Shortfalls);
        Assert.Empty(offers.Unusable);
        Assert.Equal([new ArmAssignment("open", 1, "anna", Arm.Control, GhostOffer: true, Noon)], offers.Arms);
    }

    [Fact]
    public void An_arm_is_assigned_only_to_a_request_that_would_qualify_and_the_recorded_one_wins()
    {
        var campaign = ACampaign("half", Off(500), Distribution.Public) with { ControlShare = 5000 };
        var below = campaign with { Conditions = Conditions.None with { SpendMin = 6000 } };
        Assert.Equal(Arm.None, new Shop().With(below).Price(Fifty, Code("half")).Redeemables[0].Arm);

        var hashed = ControlGroup.Assign(campaign, "anna");
        Assert.NotEqual(Arm.None, hashed);
        var other = hashed is Arm.Control ? Arm.Treated : Arm.Control;
        var shop = new Shop().With(campaign);
        Assert.Equal(hashed, shop.Price(Fifty, Code("half")).Redeemables[0].Arm);
        Assert.Equal(other, shop.Record("half", "anna", other).Price(Fifty, Code("half")).Redeemables[0].Arm);
        Assert.Equal(other, shop.With(campaign with { ControlShare = 0 }).Price(Fifty, Code("half")).Redeemables[0].Arm);
        Assert.Equal([new ArmAssignment("half", 1, "anna", other, other is Arm.Control, Noon)],
            PromotionEngine.ArmsOf(shop.Price(Fifty, Code("half")), "anna", Noon));
    }

    [Fact]
    public void Buckets_are_the_keyed_hash_and_spread_evenly_and_apart_by_salt()
    {
        var hash = HMACSHA256.HashData(Encoding.UTF8.GetBytes("salt"), Encoding.UTF8.GetBytes("anna"));
        var expected = hash.Take(8).Aggregate(0UL, (sum, next) => unchecked((sum << 8) | next)) % 10_000;
        Assert.Equal((int)expected, ControlGroup.BucketOf("salt", "anna"));

        var one = Enumerable.Range(0, 20_000).Select(i => ControlGroup.BucketOf("salt", "c" + i) < 2_000).ToArray();
        var two = Enumerable.Range(0, 20_000).Select(i => ControlGroup.BucketOf("other", "c" + i) < 2_000).ToArray();
        Assert.InRange(one.Count(held => held), 3_774, 4_226);                                 // 4 standard deviations about 4,000
        Assert.InRange(one.Zip(two).Count(pair => pair.First && pair.Second), 689, 911);       // 4 about 800: independent
    }

    [Fact]
    public void A_campaign_of_codes_may_have_no_control_group_and_every_problem_names_its_field()
    {
        var good = ACampaign("ok", Percent(1000), Distribution.Private) with { ControlShare = 1000 };
        Assert.Empty(CampaignRules.Validate(good));

        var bad = good with
        {
            Id = "a b", Version = 0, Distribution = Distribution.CodeBased, Currency = "XAU", EndsAt = good.StartsAt, ControlShare = 5001, Salt = "",
            Benefit = new(BenefitType.PercentOff, 10_001, 5, false, 0), Conditions = Skus("tea") with { ExcludedSkus = ["tea"], SpendMin = 2, SpendMax = 1 }, Limits = new(0, 0, 0),
        };
        Assert.Equal(
            ["/id", "/version", "/currency", "/benefit/basis_points", "/benefit/amount", "/benefit/discount_max", "/conditions/spend_max", "/conditions/excluded_skus",
             "/limits/uses_max", "/limits/uses_per_customer_max", "/limits/budget", "/ends_at", "/control_share", "/control_share", "/salt"],
            CampaignRules.Validate(bad).Select(problem => problem.Field));
    }
}
