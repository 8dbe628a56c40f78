using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger.Formats;
using Promotions.Processing.Decisions;
using Promotions.Processing.State;
using Promotions.Scoring;

namespace Promotions.Processing.Tests;

/// <summary>A share of what the model alone blocks passes: by a draw that holds for a visitor and a week, with what would have been and its chance in the record.</summary>
public class LetThroughTests
{
    private const double Share = 0.1;
    private static readonly DateTimeOffset Monday = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);
    private static readonly PricedCart Priced = new(RefusalCode.None, [], [], 3_000, 300, 2_700, 2_500);
    private static readonly float[] Harmless = new float[FeatureRegistry.Count];

    private static readonly FraudPolicy Policy = PipelineRig.Policy with { LetThrough = new(Share, 5_000, "salt"), Costs = FraudCosts.Default with { GoodsShare = 0.1 } };

    private readonly Decider _decider = new(new FeatureCatalog());

    [Fact]
    public void Who_is_drawn_passes_unreviewed_and_the_record_says_what_would_have_been_and_with_what_chance()
    {
        var all = Enumerable.Range(0, 200).Select(i => Decide(Visitor(i))).ToList();
        var passed = all.Where(decided => decided.Proposed is RedemptionStatus.Approved).ToList();
        Assert.NotEmpty(passed);
        Assert.All(all, decided => Assert.Equal(
            (RedemptionStatus.Blocked, Share, decided.Proposed is RedemptionStatus.Approved, 300 + 200 + 250, 5_000),
            (decided.Risk.Verdict, decided.Risk.LetThrough!.Propensity, decided.Risk.LetThrough.Drawn, decided.Risk.LetThrough.Value, decided.Risk.LetThrough.ValuePerDayMax)));
        Assert.All(all, decided => Assert.True(decided.Proposed is RedemptionStatus.Approved or RedemptionStatus.Blocked));
        Assert.All(all.Select(decided => decided.Risk with { LetThrough = null, Vector = default }), risk => Assert.Equal(all[0].Risk.Reasons, risk.Reasons));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void The_chance_to_pass_is_the_share_however_much_an_attempt_names(int named)
    {
        const int Attempts = 20_000;
        var passed = Enumerable.Range(0, Attempts).Count(i => IsDrawn(Visitor(i, named)));
        var spread = Math.Sqrt(Attempts * Share * (1 - Share));
        Assert.InRange(passed, (Attempts * Share) - (4 * spread), (Attempts * Share) + (4 * spread));
    }

    [Fact]
    public void A_visitor_gets_the_same_answer_from_Monday_to_Sunday_and_is_drawn_anew_then()
    {
        var changed = 0;
        for (var i = 0; i < 500; i++)
        {
            var visitor = Visitor(i);
            var first = IsDrawn(visitor, Monday);
            foreach (var later in (TimeSpan[])[TimeSpan.FromHours(1), TimeSpan.FromDays(3), TimeSpan.FromDays(7) - TimeSpan.FromMilliseconds(1)]) Assert.Equal(first, IsDrawn(visitor, Monday + later));
            if (IsDrawn(visitor, Monday + TimeSpan.FromDays(7)) != first) changed++;
        }

        Assert.InRange(changed, 40, 140);       // 2 · 0.1 · 0.9 of 500 are 90
    }

    [Fact]
    public void New_accounts_on_one_device_do_not_draw_again_what_the_device_has_lost()
    {
        const int Devices = 400;
        var lucky = 0;
        for (var device = 0; device < Devices; device++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"device-{device}");
            if (Enumerable.Range(0, 100).Any(account => IsDrawn(new(string.Create(CultureInfo.InvariantCulture, $"account-{device}-{account}"), name, null, null, [], null, null)))) lucky++;
        }

        // The device itself wins with chance √0.1 = 0.32; a draw for each attempt would let every device through, 0.9^100 of them not.
        Assert.InRange(lucky, (Devices * 0.316) - 38, (Devices * 0.316) + 38);
    }

    [Fact]
    public void A_larger_share_lets_through_whom_the_smaller_did_and_another_salt_others()
    {
        var few = Enumerable.Range(0, 2_000).Where(i => IsDrawn(Visitor(i))).ToHashSet();
        var more = Policy with { LetThrough = Policy.LetThrough! with { Share = 0.2 } };
        var other = Policy with { LetThrough = Policy.LetThrough! with { Salt = "another" } };
        Assert.True(few.IsSubsetOf(Enumerable.Range(0, 2_000).Where(i => IsDrawn(Visitor(i), Monday, more))));
        Assert.False(few.SetEquals(Enumerable.Range(0, 2_000).Where(i => IsDrawn(Visitor(i), Monday, other))));
    }

    [Fact]
    public void Hard_rules_barred_accounts_rule_refusals_reviews_and_silent_models_are_never_drawn()
    {
        var always = Policy with { LetThrough = new(1, long.MaxValue, "salt"), HardRules = [new("guessing", "ip_invalid_codes_1h", 20)] };
        var visitor = Visitor(1);
        Assert.Equal(RedemptionStatus.Approved, Decide(visitor, policy: always).Proposed);

        var guessing = Harmless.ToArray();
        guessing[new FeatureCatalog().IndexOf("ip_invalid_codes_1h")] = 20;
        Untouched(Decide(visitor, policy: always, vector: guessing), RedemptionStatus.Blocked);
        Untouched(Decide(visitor, policy: always, accounts: new([new(visitor.Customer, Standing.Blocked, null)])), RedemptionStatus.Rejected);
        Untouched(Decide(visitor, policy: always, priced: Priced with { Refusal = RefusalCode.SpendBelowMinimum }), RedemptionStatus.Rejected);
        Untouched(Decide(visitor, policy: always, raw: double.NaN), RedemptionStatus.Review);
        Untouched(Decide(visitor, policy: always, raw: -5), RedemptionStatus.Approved);
        Untouched(Decide(visitor, policy: always with { LetThrough = null }), RedemptionStatus.Blocked);

        static void Untouched(DecisionProposal decided, RedemptionStatus status) => Assert.Equal((status, null), (decided.Proposed, decided.Risk.LetThrough));
    }

    [Fact]
    public void The_record_is_read_back_whole_and_one_without_a_draw_has_the_bytes_that_it_always_had()
    {
        var decided = Decide(Visitor(1));
        var document = ProposalCodec.Encode(decided);
        Assert.Equal(4, document[0]);
        Assert.Equal(decided.Risk.LetThrough, ProposalCodec.Decode(document, new byte[FeatureRegistry.Count * sizeof(float)]).Risk.LetThrough);

        var without = ProposalCodec.Encode(decided with { Risk = decided.Risk with { LetThrough = null } });
        Assert.Equal(1, without[0]);
        Assert.Equal(without[1..], document[1..without.Length]);
    }

    private static AttemptEntities Visitor(int number, int named = 5)
    {
        string? Name(int place, string kind) => place < named ? string.Create(CultureInfo.InvariantCulture, $"{kind}-{number}") : null;
        return new(Name(0, "customer")!, Name(1, "device"), null, Name(2, "network"), [], Name(3, "token"), Name(4, "address"));
    }

    private bool IsDrawn(AttemptEntities visitor, DateTimeOffset? at = null, FraudPolicy? policy = null) => Decide(visitor, at, policy).Risk.LetThrough!.Drawn;

    private DecisionProposal Decide(
        AttemptEntities visitor, DateTimeOffset? at = null, FraudPolicy? policy = null, float[]? vector = null, AccountStandings? accounts = null, PricedCart? priced = null, double raw = 5)
    {
        var request = PipelineRig.Request("r-1") with { At = EventTime.From(at ?? Monday), Customer = new(visitor.Customer, null) };
        return _decider.Decide(request, visitor, priced ?? Priced, vector ?? Harmless, 0, new(new Certain(raw), null, policy ?? Policy, null!) { Accounts = accounts ?? AccountStandings.AllOpen });
    }

    private sealed class Certain(double raw) : IScorer
    {
        public string ModelHash => "certain";
        public ulong LayoutHash => FeatureRegistry.LayoutHash;
        public int FeatureCount => FeatureRegistry.Count;
        public double ExpectedScore => raw;
        public double RawScore(ReadOnlySpan<float> vector) => raw;
        public double Probability(double rawScore) => 1 / (1 + Math.Exp(-rawScore));
        public void Explain(ReadOnlySpan<float> vector, Span<double> contributions) => contributions.Clear();
    }
}
