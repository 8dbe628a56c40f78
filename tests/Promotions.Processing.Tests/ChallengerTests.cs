using Microsoft.Extensions.Time.Testing;
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

/// <summary>Challengers say what they would have done and change nothing; a model that throws, answers nonsense or is slow does not stop the tills.</summary>
public class ChallengerTests
{
    private const int CertainAbuse = 5;
    private static readonly PricedCart Priced = new(RefusalCode.None, [], [], 3_000, 300, 2_700, 2_700);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void What_each_challenger_would_have_said_is_recorded_and_the_champion_decides()
    {
        var strict = new Model("strict", CertainAbuse);
        var proposal = Decide(new Decider(new FeatureCatalog()), new("lenient", -5), strict, new("broken", double.NaN));

        Assert.Equal((RedemptionStatus.Approved, RedemptionStatus.Approved), (proposal.Proposed, proposal.Risk.Verdict));
        Assert.Equal(
            [new("strict", strict.Probability(CertainAbuse), CertainAbuse, RedemptionStatus.Blocked, null), new("broken", double.NaN, double.NaN, RedemptionStatus.Review, "the model answered NaN")],
            proposal.Risk.Shadow);
    }

    [Fact]
    public void More_challengers_than_the_budget_allows_are_not_asked()
    {
        var third = new Model("third", 0);
        Assert.Equal(["first", "second"], Decide(new Decider(new FeatureCatalog()), new("lenient", -5), new("first", 0), new("second", 0), third).Risk.Shadow.Select(score => score.ModelHash));
        Assert.Equal(0, third.Asked);
    }

    [Fact]
    public void A_decision_without_challengers_has_the_bytes_that_it_always_had_and_one_with_is_read_back_whole()
    {
        var decider = new Decider(new FeatureCatalog());
        var alone = Decide(decider, new("lenient", -5));
        var beside = Decide(decider, new("lenient", -5), new("strict", CertainAbuse), new("broken", double.NaN));
        var (plain, longer) = (ProposalCodec.Encode(alone), ProposalCodec.Encode(beside));

        Assert.Equal(1, plain[0]);
        Assert.Equal(2, longer[0]);
        Assert.Equal(plain[1..], longer[1..plain.Length]);
        Assert.Equal(beside.Risk.Shadow, ProposalCodec.Decode(longer, new byte[FeatureRegistry.Count * sizeof(float)]).Risk.Shadow);
        Assert.Empty(ProposalCodec.Decode(plain, new byte[FeatureRegistry.Count * sizeof(float)]).Risk.Shadow);
    }

    [Fact]
    public void A_decision_is_read_back_with_its_countries_challengers_or_none()
    {
        var decider = new Decider(new FeatureCatalog());
        var origin = new AttemptOrigin(Country.FromNumber(5), Country.FromNumber(676), default, IpFlags.TorKnown);
        foreach (var decided in new[] { Decide(decider, new("lenient", -5)), Decide(decider, new("lenient", -5), new Model("strict", CertainAbuse)) })
        {
            var document = ProposalCodec.Encode(decided with { Request = decided.Request with { Origin = origin } });
            Assert.Equal(3, document[0]);
            var read = ProposalCodec.Decode(document, new byte[FeatureRegistry.Count * sizeof(float)]);
            Assert.Equal((origin, decided.Risk.Shadow.Count, decided.Request.LateByMs), (read.Request.Origin, read.Risk.Shadow.Count, read.Request.LateByMs));
            Assert.Equal(decided.Risk.Shadow, read.Risk.Shadow);
        }
    }

    [Fact]
    public void A_champion_that_throws_leaves_the_decision_to_the_channels_fallback()
    {
        var proposal = Decide(new Decider(new FeatureCatalog()), new("broken", 0) { Fault = new InvalidOperationException("no such leaf") });
        Assert.Equal((RedemptionStatus.Review, "InvalidOperationException: no such leaf"), (proposal.Proposed, proposal.Risk.ScorerFault));
        Assert.Equal(RefusalCode.ScorerUnavailable, DecideAt("till", new Decider(new FeatureCatalog()), new("broken", 0) { Fault = new InvalidOperationException() }).Refusal);
    }

    [Fact]
    public void A_champion_that_is_slow_three_times_in_a_row_is_set_aside_and_asked_again_later()
    {
        var slow = new Model("slow", -5) { Takes = () => _time.Advance(TimeSpan.FromMilliseconds(11)) };
        var decider = new Decider(new FeatureCatalog(), _time);
        for (var i = 0; i < 3; i++) Assert.Null(Decide(decider, slow).Risk.ScorerFault);     // the late answer is there, and counts

        var aside = Decide(decider, slow);
        Assert.Equal((RedemptionStatus.Review, 3), (aside.Proposed, slow.Asked));
        Assert.Equal("the model took more than 10 ms 3 times in a row and is not asked for 30 s", aside.Risk.ScorerFault);

        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Null(Decide(decider, slow).Risk.ScorerFault);
        Assert.NotNull(Decide(decider, slow).Risk.ScorerFault);                              // still slow: once is enough now

        _time.Advance(TimeSpan.FromSeconds(30));
        slow.Takes = null;
        for (var i = 0; i < 3; i++) Assert.Null(Decide(decider, slow).Risk.ScorerFault);
        Assert.Equal(7, slow.Asked);
    }

    [Fact]
    public void Slow_answers_with_quick_ones_between_set_nothing_aside()
    {
        var turn = 0;
        var uneven = new Model("uneven", -5) { Takes = () => _time.Advance(TimeSpan.FromMilliseconds(++turn % 3 == 0 ? 1 : 11)) };
        var decider = new Decider(new FeatureCatalog(), _time);
        for (var i = 0; i < 30; i++) Assert.Null(Decide(decider, uneven).Risk.ScorerFault);
    }

    [Fact]
    public void A_slow_challenger_is_set_aside_and_the_champion_goes_on()
    {
        var slow = new Model("slow", CertainAbuse) { Takes = () => _time.Advance(TimeSpan.FromMilliseconds(50)) };
        var decider = new Decider(new FeatureCatalog(), _time);
        for (var i = 0; i < 3; i++) Assert.Null(Decide(decider, new("champion", -5), slow).Risk.Shadow[0].Fault);

        var proposal = Decide(decider, new("champion", -5), slow);
        Assert.Equal((RedemptionStatus.Approved, null, 3), (proposal.Proposed, proposal.Risk.ScorerFault, slow.Asked));
        Assert.Contains("not asked for 30 s", proposal.Risk.Shadow[0].Fault!, StringComparison.Ordinal);
    }

    private static DecisionProposal Decide(Decider decider, Model champion, params Model[] challengers) => DecideAt("web-de", decider, champion, challengers);

    private static DecisionProposal DecideAt(string channel, Decider decider, Model champion, params Model[] challengers)
    {
        var policy = PipelineRig.Policy with { Channels = [new("till", [], ScorerFallback.Refuse)] };
        var request = PipelineRig.Request("r-1") with { Channel = channel };
        return decider.Decide(request, Entities.From(request), Priced, new float[FeatureRegistry.Count], 0, new(champion, null, policy, new NoCampaigns()) { Challengers = challengers });
    }

    /// <summary>Gives every vector the same log-odds, as slowly and as badly as it is told.</summary>
    private sealed class Model(string hash, double raw) : IScorer
    {
        public int Asked { get; private set; }
        public Exception? Fault { get; init; }
        public Action? Takes { get; set; }
        public string ModelHash => hash;
        public ulong LayoutHash => FeatureRegistry.LayoutHash;
        public int FeatureCount => FeatureRegistry.Count;
        public double ExpectedScore => raw;

        public double RawScore(ReadOnlySpan<float> vector)
        {
            Asked++;
            Takes?.Invoke();
            return Fault is null ? raw : throw Fault;
        }

        public double Probability(double rawScore) => 1 / (1 + Math.Exp(-rawScore));
        public void Explain(ReadOnlySpan<float> vector, Span<double> contributions) => contributions.Clear();
    }

    private sealed class NoCampaigns : ICampaignSnapshot
    {
        public long Revision => 0;
        public IReadOnlyList<Campaign> PublicCampaigns => [];
        public Campaign? FindCampaign(string campaignId) => null;
        public Coupon? FindCoupon(string code) => null;
        public IReadOnlyList<Coupon> CouponsOf(string customerId) => [];
        public Arm FindArm(string campaignId, string customerId) => Arm.None;
    }
}
