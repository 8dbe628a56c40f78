using CsCheck;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using static Promotions.Domain.Tests.Shop;

namespace Promotions.Domain.Tests;

public class PricingTests
{
    private static readonly Cart Fifty = ACart(ALine("tea", 2000, category: "drinks"), ALine("cup", 1500, 2, "kitchen"));

    [Fact]
    public void Ten_percent_comes_off_the_order_and_is_divided_exactly_over_its_lines()
    {
        var priced = new Shop().With(ACampaign("ten", Percent(1000))).Give("TEN", "ten").Price(Fifty, Code("TEN"));

        Assert.Equal(RefusalCode.None, priced.Refusal);
        Assert.Equal((5000, 500, 4500, 4500), (priced.Subtotal, priced.Discount, priced.Total, priced.Due));
        Assert.Equal([new("line-tea", "TEN", "ten", 200), new LineDiscount("line-cup", "TEN", "ten", 300)], priced.LineDiscounts);
    }

    public static TheoryData<string, Benefit, Conditions, long> Benefits => new()
    {
        // why                                            benefit                         conditions                                                        discount
        { "amount off the order",                         Off(700),                       Conditions.None,                                                  700 },
        { "never more than the lines",                    Off(9000),                      Conditions.None,                                                  5000 },
        { "never more than the matching lines",           Off(9000, matching: true),      Skus("tea"),                                                      2000 },
        { "the cap holds",                                Percent(5000, max: 800),        Conditions.None,                                                  800 },
        { "a half goes to the shopper",                   Percent(5, matching: true),     Skus("cup"),                                                      2 },
        { "percent of matching lines",                    Percent(1000, matching: true),  Skus("cup"),                                                      300 },
        { "category matches",                             Percent(1000, matching: true),  Conditions.None with { IncludedCategories = ["drinks"] },         200 },
        { "sku or category, not both",                    Percent(1000, matching: true),  Skus("cup") with { IncludedCategories = ["drinks"] },             500 },
        { "an exclusion beats an inclusion",              Percent(1000, matching: true),  Skus("tea", "cup") with { ExcludedCategories = ["kitchen"] },     200 },
        { "a match opens the whole order",                Percent(1000),                  Skus("tea"),                                                      500 },
        { "an excluded line stays out of the order",      Percent(1000),                  Conditions.None with { ExcludedSkus = ["cup"] },                  200 },
        { "spend at its minimum",                         Off(100),                       Conditions.None with { SpendMin = 5000 },                         100 },
        { "spend at its maximum",                         Off(100),                       Conditions.None with { SpendMax = 5000 },                         100 },
    };

    [Theory, MemberData(nameof(Benefits))]
    public void Discount_follows_benefit_and_conditions(string why, Benefit benefit, Conditions conditions, long discount)
    {
        var priced = new Shop().With(ACampaign("c", benefit) with { Conditions = conditions }).Give("C", "c").Price(Fifty, Code("C"));
        Assert.True(priced.Refusal is RefusalCode.None, why);
        Assert.Equal(discount, priced.Discount);
        Assert.Equal(discount, priced.LineDiscounts.Sum(line => line.Amount));
    }

    public static TheoryData<Func<Campaign, Campaign>, RefusalCode> Rules => new()
    {
        { c => c with { Active = false, EndsAt = Noon },                                        RefusalCode.CampaignInactive },     // first on the ladder
        { c => c with { StartsAt = new(Noon.UnixMilliseconds + 1) },                            RefusalCode.CampaignNotStarted },
        { c => c with { StartsAt = Noon },                                                      RefusalCode.None },                 // the start is inside
        { c => c with { EndsAt = Noon },                                                        RefusalCode.CampaignEnded },        // the end is outside
        { c => c with { EndsAt = new(Noon.UnixMilliseconds + 1) },                              RefusalCode.None },
        { c => c with { EndsAt = null },                                                        RefusalCode.None },
        { c => c with { Channels = ["pos-17"] },                                                RefusalCode.ChannelNotAllowed },
        { c => c with { Channels = ["pos-17", "web-de"] },                                      RefusalCode.None },
        { c => c with { Currency = "USD" },                                                     RefusalCode.CurrencyMismatch },
        { c => c with { Conditions = Skus("coat") },                                            RefusalCode.NoMatchingLines },
        { c => c with { Conditions = Conditions.None with { ExcludedSkus = ["tea", "cup"] } },  RefusalCode.NoMatchingLines },
        { c => c with { Conditions = Conditions.None with { SpendMin = 5001 } },                RefusalCode.SpendBelowMinimum },
        { c => c with { Conditions = Skus("tea") with { SpendMin = 2001 } },                    RefusalCode.SpendBelowMinimum },    // only matching lines count
        { c => c with { Conditions = Conditions.None with { SpendMax = 4999 } },                RefusalCode.SpendAboveMaximum },
    };

    [Theory, MemberData(nameof(Rules))]
    public void Refusal_follows_the_ladder(Func<Campaign, Campaign> change, RefusalCode refusal)
    {
        var priced = new Shop().With(change(ACampaign("c", Off(100)))).Give("C", "c").Price(Fifty, Code("C"));
        Assert.Equal(refusal, priced.Refusal);
        Assert.Equal(refusal is RefusalCode.None ? 100 : 0, priced.Discount);
        Assert.Equal(5000 - priced.Discount, priced.Total);
    }

    [Fact]
    public void Unknown_foreign_unassigned_and_withheld_look_alike_outside_and_differ_inside()
    {
        var shop = new Shop().With(ACampaign("p", Off(100), Distribution.Private)).With(ACampaign("open", Off(100), Distribution.Public))
            .Give("BOBS", "p", "bob").Give("NOBODYS", "p").Record("open", "anna", Arm.Control);

        var unknown = shop.Price(Fifty, Code("NEVER")).Redeemables[0];
        var foreign = shop.Price(Fifty, Code("BOBS")).Redeemables[0];
        var unassigned = shop.Price(Fifty, Code("NOBODYS")).Redeemables[0];
        var withheld = shop.Price(Fifty, Code("open")).Redeemables[0];

        Assert.All([unknown, foreign, unassigned, withheld], one => Assert.Equal(RefusalCode.NotAvailable, one.Refusal));
        Assert.Equal([(true, false), (false, false), (false, false), (false, true)],
            new[] { unknown, foreign, unassigned, withheld }.Select(one => (one.UnknownCode, one.WithheldForControl)));
    }

    [Fact]
    public void A_revoked_coupon_says_so_to_its_owner_only()
    {
        var shop = new Shop().With(ACampaign("p", Off(100), Distribution.Private)).Give("MINE", "p", "anna", revoked: true).Give("BOBS", "p", "bob", revoked: true);
        Assert.Equal(RefusalCode.CouponRevoked, shop.Price(Fifty, Code("MINE")).Refusal);
        Assert.Equal(RefusalCode.NotAvailable, shop.Price(Fifty, Code("BOBS")).Refusal);
    }

    [Fact]
    public void A_public_campaign_is_redeemed_by_its_id_in_any_case_and_a_private_one_is_not()
    {
        var shop = new Shop().With(ACampaign("Spring-5", Off(500), Distribution.Public)).With(ACampaign("secret", Off(500), Distribution.Private));
        Assert.Equal(500, shop.Price(Fifty, Code("SPRING-5")).Discount);
        Assert.True(shop.Price(Fifty, Code("secret")).Redeemables[0].UnknownCode);
    }

    [Fact]
    public void Coupons_on_disjoint_lines_apply_together_and_the_later_of_two_overlapping_is_refused()
    {
        var shop = new Shop()
            .With(ACampaign("tea", Percent(5000, matching: true)) with { Conditions = Skus("tea") }).Give("TEA", "tea")
            .With(ACampaign("cup", Off(300, matching: true)) with { Conditions = Skus("cup") }).Give("CUP", "cup")
            .With(ACampaign("all", Off(100))).Give("ALL", "all");

        Assert.Equal(1300, shop.Price(Fifty, Code("TEA"), Code("CUP")).Discount);
        var overlapping = shop.Price(Fifty, Code("TEA"), Code("ALL"), Code("CUP"));
        Assert.Equal([RefusalCode.None, RefusalCode.NotCombinable, RefusalCode.None], overlapping.Redeemables.Select(one => one.Refusal));
        Assert.Equal(RefusalCode.NotCombinable, overlapping.Refusal);
    }

    [Fact]
    public void Overlap_does_not_depend_on_the_arm()
    {
        var shop = new Shop().With(ACampaign("a", Off(100), Distribution.Public)).With(ACampaign("b", Off(200), Distribution.Public)).Record("a", "anna", Arm.Control);
        Assert.Equal([RefusalCode.NotAvailable, RefusalCode.NotCombinable], shop.Price(Fifty, Code("a"), Code("b")).Redeemables.Select(one => one.Refusal));
    }

    [Fact]
    public void The_same_code_or_kind_of_balance_twice_is_refused_once()
    {
        var shop = new Shop().With(ACampaign("ten", Percent(1000))).Give("TEN", "ten");
        var priced = shop.Price(Fifty, Code("TEN"), Code("TEN"), Pay(RedeemableType.Cash, 10), Pay(RedeemableType.Points, 10), Pay(RedeemableType.Cash, 10));
        Assert.Equal([RefusalCode.None, RefusalCode.DuplicateRedeemable, RefusalCode.None, RefusalCode.None, RefusalCode.DuplicateRedeemable],
            priced.Redeemables.Select(one => one.Refusal));
    }

    [Theory]
    //          points  cash  refusal                        due
    [InlineData(   500, 4000, RefusalCode.None,                 0)]
    [InlineData(   500, 4001, RefusalCode.AmountExceedsOrder, 4000)]   // the one that goes over pays nothing
    [InlineData(     1,    1, RefusalCode.None,              4498)]
    public void Balances_pay_after_all_discounts_and_never_more_than_the_total(long points, long cash, RefusalCode refusal, long due)
    {
        var shop = new Shop().With(ACampaign("ten", Percent(1000))).Give("TEN", "ten");
        var priced = shop.Price(Fifty, Pay(RedeemableType.Points, points), Pay(RedeemableType.Cash, cash), Code("TEN"));
        Assert.Equal((refusal, due, 500), (priced.Refusal, priced.Due, priced.Discount));
    }

    [Fact]
    public void Shipping_is_paid_by_balances_and_not_discounted()
    {
        var shop = new Shop().With(ACampaign("all", Percent(10_000))).Give("ALL", "all");
        var priced = shop.Price(Fifty with { Shipping = 490 }, Code("ALL"), Pay(RedeemableType.Gift, 490));
        Assert.Equal((5000, 490, 0), (priced.Discount, priced.Total, priced.Due));
    }

    [Fact]
    public void Amounts_that_intake_should_have_refused_throw()
    {
        var shop = new Shop();
        Assert.Throws<ArgumentException>(() => shop.Price(Fifty, Pay(RedeemableType.Cash, -1)));
        Assert.Throws<OverflowException>(() => shop.Price(ACart(ALine("gold", long.MaxValue), ALine("more", long.MaxValue))));
        Assert.Equal(10_000_000_000_000_000, new Shop().With(ACampaign("ten", Percent(1000))).Give("TEN", "ten")
            .Price(ACart(ALine("big", 1_000_000_000_000, 100_000)), Code("TEN")).Discount);   // the product is beyond Int64 on the way
    }

    [Fact]
    public void Sums_and_caps_hold_and_the_order_of_redeemables_changes_nothing_when_none_is_refused()
    {
        var lines = Gen.Select(Gen.Long[0, 5_000_000], Gen.Int[1, 50]).Array[1, 12];
        var benefit = Gen.Select(Gen.Bool, Gen.Int[1, 10_000], Gen.Long[1, 3_000_000], Gen.Long[0, 2_000_000]);
        Gen.Select(lines, benefit.Array[1, 4], Gen.Int[0, int.MaxValue]).Sample((prices, benefits, seed) =>
        {
            var random = new Random(seed);
            var cart = ACart([.. prices.Select((price, index) => ALine("s" + index, price.Item1, price.Item2))]);
            var shop = new Shop();
            for (var i = 0; i < benefits.Length; i++)
            {
                var (percent, basisPoints, amount, max) = benefits[i];
                var mine = Enumerable.Range(0, prices.Length).Where(line => line % benefits.Length == i).Select(line => "s" + line).ToArray();   // disjoint by making
                var of = percent ? Percent(basisPoints, matching: true, max == 0 ? null : max) : Off(amount, matching: true, max == 0 ? null : max);
                shop.With(ACampaign("c" + i, of) with { Conditions = Skus(mine.Length == 0 ? ["none"] : mine) }).Give("C" + i, "c" + i);
            }

            Redeemable[] codes = [.. Enumerable.Range(0, benefits.Length).Select(i => Code("C" + i))];
            var priced = shop.Price(cart, codes);

            Assert.Equal(priced.Discount, priced.LineDiscounts.Sum(line => line.Amount));
            Assert.Equal(priced.Discount, priced.Redeemables.Sum(one => one.Discount));
            Assert.Equal(priced.Subtotal - priced.Discount, priced.Total);
            Assert.True(priced.Total >= 0);
            Assert.All(priced.LineDiscounts, line => Assert.InRange(line.Amount, 1, cart.Lines.Single(one => one.Line == line.Line).Subtotal));
            for (var i = 0; i < benefits.Length; i++) Assert.True(benefits[i].Item4 == 0 || priced.Redeemables[i].Discount <= benefits[i].Item4);

            if (priced.Refusal is not RefusalCode.None) return;
            random.Shuffle(codes);
            var shuffled = shop.Price(cart, codes);
            Assert.Equal((priced.Discount, priced.Total, priced.Refusal), (shuffled.Discount, shuffled.Total, shuffled.Refusal));
            Assert.Equal(priced.LineDiscounts.OrderBy(line => line.Line), shuffled.LineDiscounts.OrderBy(line => line.Line));
        });
    }
}
