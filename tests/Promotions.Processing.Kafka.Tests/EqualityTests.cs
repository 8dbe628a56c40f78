using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Kafka.Cluster;
using Promotions.Ledger;
using Promotions.Ledger.Formats;
using Promotions.Ledger.Postgres;
using Promotions.Ledger.Postgres.Tests;
using Promotions.Processing.Decisions;
using Promotions.Processing.Embedded;
using Promotions.Processing.Kafka.Gateway;
using Promotions.Processing.Records;
using Promotions.Processing.State;
using Promotions.Processing.Tests;
using Promotions.Processing.Topologies;
using Promotions.Simulation;
using Promotions.Streams;
using Topics = Promotions.Processing.Records.Topics;

namespace Promotions.Processing.Kafka.Tests;

/// <summary>One shop's events through every driver: live through the embedded one and through Kafka and PostgreSQL, and the embedded one's recorded log through both forms of the topology in memory.</summary>
public class EqualityTests
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task One_log_gives_equal_vectors_and_decisions_under_all_three_drivers()
    {
        var events = SuspiciousShop.Events();
        Assert.InRange(events.Count, 200, 600);
        var folder = Directory.CreateTempSubdirectory("promotions-equality-");
        try
        {
            var clock = new EventClock();
            await using var embedded = PipelineRig.Open(scorer: new SuspiciousShop.Scorer(), policy: SuspiciousShop.Policy);
            await using var kafka = await KafkaCluster.StartAsync(1, "log.retention.ms=-1");
            await using var ledger = await PostgresLedger.OpenAsync(new() { ConnectionString = await PostgresServer.Shared.NewDatabaseAsync() }, clock, CancellationToken.None);
            var counted = 0;
            await using var pipeline = await StartAsync(kafka, ledger, folder.FullName, clock, () => Interlocked.Increment(ref counted));
            await using var gateway = await KafkaGateway.OpenAsync(ledger, ledger, new() { Bootstrap = kafka.Bootstrap, Instance = "api-1", AnswerWithin = Within }, clock, CancellationToken.None);

            using var replay = new Replay(embedded);
            foreach (var happened in events)
            {
                clock.Now = happened.At.ToDateTimeOffset();
                embedded.Time.SetUtcNow(clock.Now);
                var here = await SuspiciousShop.SendAsync(happened, embedded.Gateway, embedded.Ledger);
                replay.CatchUp();
                var there = await SuspiciousShop.SendAsync(happened, gateway, ledger);
                Assert.Equal(Said(here), Said(there));

                // The next one waits until every entity that the replay told has been told there as well.
                using var patience = new CancellationTokenSource(Within);
                while (Volatile.Read(ref counted) < replay.Counted) await Task.Delay(2, patience.Token);
            }

            var attempts = events.OfType<RedemptionAttempted>().Where(attempt => attempt.Request.Kind is AttemptKind.Redemption).Select(attempt => attempt.Request.Id).ToList();
            foreach (var id in attempts)
            {
                var here = embedded.Reader.FindDecision(id)!;
                Assert.Equal(Text(here), Text(ledger.Reader.FindDecision(id)!));
                Assert.Equal(Bytes(here.Proposal, withArms: false), replay.Calls[id]);
                Assert.Equal(Bytes(here.Proposal, withArms: false), replay.Topics[id]);
            }

            Assert.Equal(replay.Counted, counted);
            AssertWorthComparing(events, attempts.ConvertAll(id => embedded.Reader.FindDecision(id)!), replay);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Equal is easy where nothing happens.</summary>
    private static void AssertWorthComparing(IReadOnlyList<SimulatedEvent> events, List<Decision> decisions, Replay replay)
    {
        Assert.Equal("Approved Blocked Rejected Review", string.Join(' ', decisions.Select(decision => decision.Status.ToString()).Distinct().Order(StringComparer.Ordinal)));
        Assert.Equal("Captured None Voided", string.Join(' ', decisions.Select(decision => decision.Hold.ToString()).Distinct().Order(StringComparer.Ordinal)));
        Assert.True(events.OfType<RedemptionAttempted>().Where(attempt => attempt.Truth.Abuse).Select(attempt => attempt.Truth.Kind).Distinct().Count() >= 3);
        Assert.Equal(Enum.GetValues<Features.FeedbackType>().Where(type => type is not Features.FeedbackType.None).Order(), replay.Types.Order());
        Assert.True(decisions.Exists(decision => decision.Proposal.Arms.Count > 0), "no arm was assigned");
    }

    private static Task<KafkaRedemptions> StartAsync(KafkaCluster kafka, PostgresLedger ledger, string folder, TimeProvider clock, Action counted)
    {
        Func<DecisionInputs> inputs = () => new(new SuspiciousShop.Scorer(), null, SuspiciousShop.Policy, ledger.Campaigns);
        return KafkaRedemptions.StartAsync(
            new() { Bootstrap = kafka.Bootstrap, MemberId = "m-1", StateFolder = folder, LayoutHash = RedemptionTopology.LayoutHash },
            new(ledger, new(ledger, clock), ledger, static () => new(new FeatureCatalog()), inputs, EarningRule.Default, EffectsRig.Problem, new BrokerTests.Silent()),
            new() { Topology = RedemptionTopologyOptions.Default with { Gather = GatherTimes.Default with { Patience = TimeSpan.FromSeconds(10) }, LookAhead = new CampaignLookAhead(ledger), Counted = (_, _) => counted() } }, null, clock);
    }

    /// <summary>What a caller is told, but for the place in the ledger.</summary>
    private static string Said(LedgerOutcome? outcome) => outcome is null ? "" : $"{outcome.Refusal} {outcome.Repeated} {(outcome.Decision is { } decision ? Text(decision) : "")}";

    private static string Text(Decision decision) => $"{decision.Status} {decision.Refusal} {decision.Hold} {decision.HoldExpiresAt} {decision.DecidedAt} {Bytes(decision.Proposal, withArms: true)}";

    /// <summary>Vector and all else that was decided. The hash of the request's own bytes and its deadline belong to the way it came.</summary>
    private static string Bytes(DecisionProposal proposal, bool withArms) =>
        Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes(proposal.Risk.Vector.Span)) + " " +
        Convert.ToHexString(ProposalCodec.Encode(proposal with { Request = proposal.Request with { RequestHash = new byte[32], Deadline = null }, Arms = withArms ? proposal.Arms : [] }));

    /// <summary>The embedded ledger's log through the topology in memory: where hops are calls, and where they are topics, with timers by event time.</summary>
    private sealed class Replay : IDisposable
    {
        private readonly PipelineRig _recorded;
        private readonly TopologyDriver _calls;
        private readonly TopologyDriver _topics;
        private long _position;

        public Replay(PipelineRig recorded)
        {
            _recorded = recorded;
            Func<DecisionInputs> inputs = () => new(new SuspiciousShop.Scorer(), null, SuspiciousShop.Policy, recorded.Ledger.Campaigns);
            _calls = new(RedemptionTopology.Build(static () => new(new FeatureCatalog()), inputs));
            _topics = new(RedemptionTopology.BuildForTopics(static () => new(new FeatureCatalog()), inputs, RedemptionTopologyOptions.Default with { Counted = Count }), SuspiciousShop.Start, hopsAreBytes: true);
        }

        public Dictionary<string, string> Calls { get; } = new(StringComparer.Ordinal);
        public Dictionary<string, string> Topics { get; } = new(StringComparer.Ordinal);
        public HashSet<Features.FeedbackType> Types { get; } = [];
        public int Counted { get; private set; }

        public void CatchUp()
        {
            while (_recorded.Reader.ReadLog(_position, 100) is { Count: > 0 } page)
                foreach (var record in page) Take(record);
            Assert.Empty(_calls.DeadLetters);
            Assert.Empty(_topics.DeadLetters);
            foreach (var output in _calls.TakeOutputs()) Keep(Calls, (DecisionProposal)output.Value!);
            foreach (var output in _topics.TakeOutputs()) Keep(Topics, ((ProposedDecision)output.Value!).Proposal);
        }

        public void Dispose()
        {
            _calls.Dispose();
            _topics.Dispose();
        }

        private void Take(LogRecord record)
        {
            _position = record.Position;
            if (record.Topic is not (Records.Topics.Requests or Records.Topics.Outcomes or Records.Topics.Labels or Records.Topics.Orders or Records.Topics.Returns)) return;
            if (record.At > _topics.Now) _topics.AdvanceTime(TimeSpan.FromMilliseconds(record.At.UnixMilliseconds - _topics.Now.UnixMilliseconds));
            _calls.Pipe(record.Topic, record.Value, record.At);
            if (record.Topic == Records.Topics.Requests) _topics.Pipe(record.Topic, record.Value, record.At);
            else _topics.Pipe(Records.Topics.Outcomes, FeedbackRecord.Encode(record.Topic, record.Value.Span), record.At);
        }

        private static void Keep(Dictionary<string, string> proposals, DecisionProposal proposal) => proposals.Add(proposal.Request.Id, Bytes(proposal, withArms: false));

        private void Count(Features.FeedbackType type, EventTime at)
        {
            Types.Add(type);
            Counted++;
        }
    }

    /// <summary>The day is the events', so that what a ledger dates is comparable; timers and time spans are real.</summary>
    private sealed class EventClock : TimeProvider
    {
        private long _ticks = SuspiciousShop.Start.ToDateTimeOffset().UtcTicks;

        public DateTimeOffset Now
        {
            get => new(Interlocked.Read(ref _ticks), TimeSpan.Zero);
            set => Interlocked.Exchange(ref _ticks, value.UtcTicks);
        }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
