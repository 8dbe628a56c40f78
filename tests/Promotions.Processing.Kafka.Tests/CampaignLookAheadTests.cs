using System.Threading.Channels;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Processing.Tests;

namespace Promotions.Processing.Kafka.Tests;

/// <summary>What is asked when; that the answers are the database's is the ledger's and the equality tests' affair.</summary>
public sealed class CampaignLookAheadTests
{
    [Fact]
    public async Task Requests_that_come_while_one_is_looked_up_share_the_next_round_trip()
    {
        var ledger = new Asked();
        var ahead = new CampaignLookAhead(ledger);
        RedemptionRequest[] requests = [.. Enumerable.Range(0, 5).Select(i => PipelineRig.Request($"r-{i}", $"customer-{i}", $"code-{i}"))];
        ahead.Announced(requests[0]);
        var first = await ledger.NextAsync();
        Assert.All(requests, request => Assert.Null(ahead.Take(request)));
        foreach (var request in requests[1..]) ahead.Announced(request);
        first.Answer.SetResult(Snapshot.One);
        var second = await ledger.NextAsync();
        Assert.Equal([new CouponQuestion("CODE-0", "customer-0")], first.Questions);
        Assert.Equal(requests[1..].Select(request => new CouponQuestion(request.Redeemables[0].Code!, request.Customer.Id)), second.Questions);
        Assert.Same(Snapshot.One, ahead.Take(requests[0]));
        Assert.Null(ahead.Take(requests[0]));
        second.Answer.SetResult(Snapshot.Two);
        await KeptAsync(ahead, requests[4], Snapshot.Two);
        Assert.All(requests[1..4], request => Assert.Same(Snapshot.Two, ahead.Take(request)));
    }

    [Fact]
    public async Task A_database_that_cannot_be_read_leaves_the_question_to_who_decides_and_is_asked_again_for_the_next()
    {
        var ledger = new Asked();
        var ahead = new CampaignLookAhead(ledger);
        var (lost, next) = (PipelineRig.Request("lost"), PipelineRig.Request("next"));
        ahead.Announced(lost);
        (await ledger.NextAsync()).Answer.SetException(new LedgerFaultException("It is away."));
        ahead.Announced(next);
        (await ledger.NextAsync()).Answer.SetResult(Snapshot.One);
        await KeptAsync(ahead, next, Snapshot.One);
        Assert.Null(ahead.Take(lost));
    }

    [Fact]
    public async Task What_nobody_takes_is_forgotten_in_time()
    {
        var ledger = new Asked();
        var ahead = new CampaignLookAhead(ledger);
        var oldest = PipelineRig.Request("oldest");
        foreach (var group in Enumerable.Range(0, 10_000).Select(i => i == 0 ? oldest : PipelineRig.Request($"r-{i}")).Chunk(500))
        {
            foreach (var request in group) ahead.Announced(request);
            for (var answered = 0; answered < group.Length;)
            {
                var round = await ledger.NextAsync();
                answered += round.Questions.Count;
                round.Answer.SetResult(Snapshot.One);
            }
        }

        var last = PipelineRig.Request("last");
        ahead.Announced(last);
        (await ledger.NextAsync()).Answer.SetResult(Snapshot.One);
        await KeptAsync(ahead, last, Snapshot.One);
        Assert.Null(ahead.Take(oldest));
    }

    /// <summary>Until the look-up is kept; it is taken then.</summary>
    private static async Task KeptAsync(CampaignLookAhead ahead, RedemptionRequest request, ICampaignSnapshot expected)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        ICampaignSnapshot? found;
        while ((found = ahead.Take(request)) is null) await Task.Delay(1, patience.Token);
        Assert.Same(expected, found);
    }

    private sealed record Round(IReadOnlyCollection<CouponQuestion> Questions, TaskCompletionSource<ICampaignSnapshot> Answer);

    /// <summary>A ledger that answers when it is told to.</summary>
    private sealed class Asked : ICampaignPrefetch
    {
        private readonly Channel<Round> _rounds = Channel.CreateUnbounded<Round>();

        public Task<ICampaignSnapshot> FetchAsync(IReadOnlyCollection<CouponQuestion> asked, CancellationToken cancellationToken)
        {
            var round = new Round(asked, new(TaskCreationOptions.RunContinuationsAsynchronously));
            Assert.True(_rounds.Writer.TryWrite(round));
            return round.Answer.Task;
        }

        public async Task<Round> NextAsync() => await _rounds.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
    }

    private sealed class Snapshot : ICampaignSnapshot
    {
        public static readonly Snapshot One = new();
        public static readonly Snapshot Two = new();
        public long Revision => 0;
        public IReadOnlyList<Campaign> PublicCampaigns => [];
        public Campaign? FindCampaign(string campaignId) => null;
        public Coupon? FindCoupon(string code) => null;
        public IReadOnlyList<Coupon> CouponsOf(string customerId) => [];
        public Arm FindArm(string campaignId, string customerId) => Arm.None;
    }
}
