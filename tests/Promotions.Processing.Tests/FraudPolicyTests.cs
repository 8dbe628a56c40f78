using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Processing.Decisions;

namespace Promotions.Processing.Tests;

public class FraudPolicyTests
{
    [Fact]
    public void A_missing_value_is_told_apart_from_an_absent_entity()
    {
        var catalog = new Promotions.Processing.State.FeatureCatalog();
        var index = catalog.IndexOf("customer_since_last");
        var device = catalog.IndexOf("device_attempts_24h");
        var entities = new AttemptEntities("anna", null, null, null, [], null, null);

        Assert.StartsWith("Nothing to count yet", catalog.Describe(index, float.NaN, "EUR", entities), StringComparison.Ordinal);
        Assert.Equal("The request names no device.", catalog.Describe(device, float.NaN, "EUR", entities));
    }

    private static readonly FraudPolicy Policy = new(
        1, new FraudCosts(WrongedCustomer: 2_000, Review: 150, AbuseMultiple: 5, LossMin: 500, ReviewCatches: 0.8), ReviewFloor: 0.05, [],
        [new("pos-*", ["device", "ip"], ScorerFallback.Refuse), new("web-de", [], ScorerFallback.Review)], TimeSpan.FromMinutes(30));

    [Theory]
    //          probability  discount  verdict
    [InlineData(0.04,        100_000,  RedemptionStatus.Approved)]   // below the floor, whatever is at stake
    [InlineData(0.30,        100,      RedemptionStatus.Approved)]   // 0.30·500 = 150 ties with a review's 150 + 30: the lighter wins
    [InlineData(0.50,        100,      RedemptionStatus.Review)]     // approve 250, review 200, block 1,000
    [InlineData(0.50,        1_000,    RedemptionStatus.Review)]     // approve 2,500, review 650, block 1,000
    [InlineData(0.80,        1_000,    RedemptionStatus.Blocked)]    // approve 4,000, review 950, block 400
    [InlineData(0.99,        100,      RedemptionStatus.Blocked)]    // approve 495, review 249, block 20
    [InlineData(double.NaN,  100_000,  RedemptionStatus.Approved)]   // no score is no verdict: the channel's fallback decides elsewhere
    public void The_verdict_is_the_one_of_least_expected_cost(double probability, long discount, RedemptionStatus verdict) =>
        Assert.Equal(verdict, CostThresholds.Verdict(probability, discount, 0, Policy));

    [Fact]
    public void A_higher_probability_never_gets_a_lighter_verdict()
    {
        foreach (var discount in (long[])[0, 100, 1_000, 10_000, 1_000_000])
        {
            var heaviest = RedemptionStatus.Approved;
            for (var p = 0.0; p <= 1.0; p += 0.001)
            {
                var verdict = CostThresholds.Verdict(p, discount, 0, Policy);
                Assert.True(verdict >= heaviest, $"p {p}, discount {discount}: {verdict} after {heaviest}");
                heaviest = verdict;
            }
        }
    }

    [Theory]
    [InlineData("pos-17", ScorerFallback.Refuse, 2)]
    [InlineData("web-de", ScorerFallback.Review, 0)]
    [InlineData("app", ScorerFallback.Review, 0)]
    public void A_channel_takes_the_first_policy_that_matches(string channel, ScorerFallback fallback, int ignored)
    {
        var found = Policy.For(channel);
        Assert.Equal(fallback, found.Fallback);
        Assert.Equal(ignored, found.IgnoredEntities.Count);
    }

    [Fact]
    public void An_account_that_is_barred_is_refused_before_any_rule_and_still_assessed()
    {
        var at = new EventTime(1_000);
        AccountStanding[] barred = [new("anna", Standing.Frozen, new EventTime(2_000)), new("bert", Standing.Blocked, null)];
        var accounts = new AccountStandings(barred);
        Assert.Equal(RefusalCode.AccountFrozen, accounts.RefusalOf("anna", at));
        Assert.Equal(RefusalCode.None, accounts.RefusalOf("anna", new EventTime(2_000)));       // the end is outside
        Assert.Equal(RefusalCode.AccountBlocked, accounts.RefusalOf("bert", new EventTime(long.MaxValue)));
        Assert.Equal(RefusalCode.None, accounts.RefusalOf("Anna", at));

        var catalog = new Promotions.Processing.State.FeatureCatalog();
        var cart = new Cart("o-1", "EUR", [new("1", "mug", "kitchen", 1, 3_000)], 0);
        var request = new RedemptionRequest(AttemptKind.Redemption, "r-1", "web-de", "key", new("bert", null), cart, [], new(null, null, null, null, null, null), at, null, null, new byte[32]);
        var priced = new PricedCart(RefusalCode.SpendBelowMinimum, [], [], 3_000, 300, 2_700, 2_700);
        var inputs = new DecisionInputs(null, "none in this test", Policy, null!) { Accounts = accounts };
        var decided = new Decider(catalog).Decide(request, new("bert", null, null, null, [], null, null), priced, new float[catalog.Count], 0, inputs);
        Assert.Equal((RedemptionStatus.Rejected, RefusalCode.AccountBlocked, RedemptionStatus.Review), (decided.Proposed, decided.Refusal, decided.Risk.Verdict));
        Assert.Equal(RefusalCode.SpendBelowMinimum, new Decider(catalog).Decide(request, decided.Entities, priced, new float[catalog.Count], 0, inputs with { Accounts = AccountStandings.AllOpen }).Refusal);
    }
}
