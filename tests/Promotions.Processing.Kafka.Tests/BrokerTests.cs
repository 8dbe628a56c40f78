using System.Text;
using Confluent.Kafka;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Kafka.Cluster;
using Promotions.Ledger;
using Promotions.Ledger.Postgres;
using Promotions.Ledger.Postgres.Tests;
using Promotions.Processing.Decisions;
using Promotions.Processing.Embedded;
using Promotions.Processing.Kafka.Effects;
using Promotions.Processing.Kafka.Gateway;
using Promotions.Processing.State;
using Promotions.Processing.Tests;
using Promotions.Processing.Topologies;
using Promotions.Streams.Kafka;
using Topics = Promotions.Processing.Records.Topics;

namespace Promotions.Processing.Kafka.Tests;

/// <summary>A real broker, a real PostgreSQL, two pipeline processes' worth of drivers and a gateway.</summary>
public class BrokerTests
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Decisions_live_equal_the_embedded_ones_and_a_single_use_coupon_is_used_once_over_two_pipelines()
    {
        using var folder = new TemporaryFolder();
        await using var kafka = await KafkaCluster.StartAsync();
        await using var ledger = await PostgresLedger.OpenAsync(new() { ConnectionString = await PostgresServer.Shared.NewDatabaseAsync() }, TimeProvider.System, CancellationToken.None);
        await using var embedded = PipelineRig.Open(scorer: new PipelineRig.FixedScorer(-6));
        var campaign = PipelineRig.Public("TEN");
        await embedded.PutAsync(campaign);
        await PutAsync(ledger, campaign);
        for (var round = 0; round < Rounds; round++) await PutAsync(ledger, PipelineRig.Public($"ONCE{round}", limits: new(UsesMax: 1, null, null)));

        await kafka.CreateTopicAsync(KafkaTopics.Decisions, 2, new Dictionary<string, string> { ["cleanup.policy"] = "compact" });
        var plan = await KafkaRedemptions.PlanAsync(Driver(kafka, folder, "m-0"), Ports(ledger), Options(ledger));
        Assert.Contains($"Topic '{KafkaTopics.Decisions}' has cleanup.policy=compact and needs delete", plan, StringComparison.Ordinal);
        Assert.Contains($"Topic '{KafkaTopics.Decisions}' has 2 partitions", plan, StringComparison.Ordinal);
        Assert.Contains($"--create --topic {KafkaTopics.BalanceChanges} ", plan, StringComparison.Ordinal);
        Assert.Contains("needs delete", (await Assert.ThrowsAsync<Streams.Kafka.Commit.TopicPlanException>(() => StartAsync(kafka, ledger, folder, "m-0"))).Message, StringComparison.Ordinal);
        await kafka.Admin.DeleteTopicsAsync([KafkaTopics.Decisions]);
        await UntilAsync(() => System.Threading.Tasks.Task.FromResult(kafka.Admin.GetMetadata(Within).Topics.TrueForAll(topic => topic.Topic != KafkaTopics.Decisions)));

        await using var first = await StartAsync(kafka, ledger, folder, "m-1");
        plan = await KafkaRedemptions.PlanAsync(Driver(kafka, folder, "m-1"), Ports(ledger), Options(ledger));
        Assert.Contains("0 of them are missing", plan, StringComparison.Ordinal);
        Assert.Contains("are there, as they would be made.", plan, StringComparison.Ordinal);
        await using var second = await StartAsync(kafka, ledger, folder, "m-2");
        await using var gateway = await KafkaGateway.OpenAsync(ledger, ledger, new() { Bootstrap = kafka.Bootstrap, Instance = "api-1", AnswerWithin = Within }, TimeProvider.System, CancellationToken.None);

        // Live: each request waits for the previous answer; approvals feed nothing back, so that nothing else needs to be waited for.
        for (var i = 0; i < 30; i++)
        {
            var request = PipelineRig.Request($"r-{i}", $"c-{i % 5}", atSeconds: i, device: $"d-{i % 3}");
            var expected = await embedded.RedeemAsync(request);
            var answer = await gateway.RedeemAsync(request, CancellationToken.None);
            Assert.Equal(LedgerRefusal.None, answer.Refusal);
            Assert.Equal(0u, answer.Decision!.Proposal.Risk.LateMask);
            Assert.Equal(Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes(expected.Proposal.Risk.Vector.Span)),
                Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes(answer.Decision.Proposal.Risk.Vector.Span)));
            Assert.Equal((expected.Status, expected.Refusal, expected.Proposal.Priced.Discount), (answer.Decision.Status, answer.Decision.Refusal, answer.Decision.Proposal.Priced.Discount));
        }

        var retry = await gateway.RedeemAsync(Answered("r-0"), CancellationToken.None);
        Assert.Equal(LedgerRefusal.SameIdDifferentContent, retry.Refusal);        // its hash was made over other bytes than the topic's; the ledger answers without the pipeline
        var voided = await gateway.VoidAsync(new("r-never", "key-1", null, PipelineRig.Start), CancellationToken.None);
        Assert.True(voided.Accepted);
        Assert.Equal(LedgerRefusal.VoidedBefore, (await gateway.RedeemAsync(PipelineRig.Request("r-never", atSeconds: 40), CancellationToken.None)).Refusal);

        // Thirty at once for the one use, customers spread over all partitions and so over both pipelines.
        for (var round = 0; round < Rounds; round++)
        {
            var answers = await System.Threading.Tasks.Task.WhenAll(Enumerable.Range(0, 30).Select(i =>
                gateway.RedeemAsync(PipelineRig.Request($"race-{round}-{i}", $"c-{i}", $"once{round}", 60 + round, $"d-{round}-{i}"), CancellationToken.None)));
            Assert.Single(answers, answer => answer.Decision!.Status is RedemptionStatus.Approved);
            Assert.Equal(1, ledger.Reader.UsageOf($"ONCE{round}").UsesHeld);
        }

        // A checkout that speaks Kafka: JSON in, JSON out.
        await kafka.ProduceAsync(Topics.Requests, [new() { Key = Encoding.UTF8.GetBytes("dora"), Value = EventBodies.Of(PipelineRig.Request("k-1", "dora")), Timestamp = new(PipelineRig.Start.ToDateTimeOffset()) }, new() { Key = [], Value = "{"u8.ToArray() }]);
        await UntilAsync(async () => (await kafka.ReadAllAsync(KafkaTopics.Decisions)).Any(record => Encoding.UTF8.GetString(record.Message.Value).Contains("\"k-1\"", StringComparison.Ordinal)));
        await UntilAsync(async () => (await kafka.ReadAllAsync(KafkaTopics.DeadLetters)).Count == 1);
    }

    private const int Rounds = 20;

    /// <summary>The request as it was first sent: its hash is not what the pipeline computed of its JSON.</summary>
    private static RedemptionRequest Answered(string id) => PipelineRig.Request(id, "c-0", device: "d-0");

    private static async System.Threading.Tasks.Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(Within);
        while (!await holds()) await System.Threading.Tasks.Task.Delay(100, patience.Token);
    }

    private static async System.Threading.Tasks.Task PutAsync(PostgresLedger ledger, Promotions.Domain.Campaigns.Campaign campaign) =>
        Assert.True((await ledger.ExecuteAsync(new PutCampaign($"put:{campaign.Id}:{campaign.Version}", Actor.System, campaign.CreatedAt, campaign), Lane.Decision, CancellationToken.None)).Accepted);

    private static Task<KafkaRedemptions> StartAsync(KafkaCluster kafka, PostgresLedger ledger, TemporaryFolder folder, string member) =>
        KafkaRedemptions.StartAsync(Driver(kafka, folder, member), Ports(ledger), Options(ledger), null, TimeProvider.System);

    private static KafkaDriverOptions Driver(KafkaCluster kafka, TemporaryFolder folder, string member) =>
        new() { Bootstrap = kafka.Bootstrap, MemberId = member, StateFolder = System.IO.Path.Combine(folder.Path, member), LayoutHash = RedemptionTopology.LayoutHash };

    private static EffectsPorts Ports(PostgresLedger ledger) => new(
        ledger, new(ledger, TimeProvider.System), ledger, static () => new(new FeatureCatalog()), () => new(new PipelineRig.FixedScorer(-6), null, PipelineRig.Policy, ledger.Campaigns),
        EarningRule.Default, EffectsRig.Problem, new Silent());

    private static KafkaRedemptionsOptions Options(PostgresLedger ledger) =>
        new() { Topology = RedemptionTopologyOptions.Default with { Gather = GatherTimes.Default with { Patience = TimeSpan.FromSeconds(10) }, LookAhead = new CampaignLookAhead(ledger) } };

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("promotions-members-").FullName;
        public void Dispose() => Directory.Delete(Path, recursive: true);
    }

    internal sealed class Silent : IRedemptionEffectsObserver
    {
        public void Decided(Promotions.Domain.Decisions.Decision decision, bool repeated, TimeSpan sinceArrival) { }
        public void LatePart(Promotions.Features.EntityKind kind) { }
        public void Refused(string topic, LedgerRefusal refusal) { }
    }
}
