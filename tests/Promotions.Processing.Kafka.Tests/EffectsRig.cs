using Microsoft.Extensions.Time.Testing;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Ledger.Sqlite;
using Promotions.Processing.Decisions;
using Promotions.Processing.Embedded;
using Promotions.Processing.Kafka.Effects;
using Promotions.Processing.Records;
using Promotions.Processing.State;
using Promotions.Processing.Tests;
using Promotions.Processing.Topologies;
using Promotions.Scoring;
using Promotions.Streams;
using Promotions.Streams.Kafka;

namespace Promotions.Processing.Kafka.Tests;

/// <summary>The topology in one thread, the effects behind it, and a real ledger; what would go through a broker goes through the test's hands.</summary>
internal sealed class EffectsRig : IAsyncDisposable, IRedemptionEffectsObserver
{
    public static readonly TaskId Task = new(3, 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("promotions-effects-").FullName;
    private readonly SqliteLedger _ledger;

    public EffectsRig(IScorer? scorer = null)
    {
        _ledger = SqliteLedger.Open(new SqliteLedgerOptions { Path = Path.Combine(_folder, "ledger.db") }, Time);
        Fence = new(_ledger);
        var model = scorer ?? new PipelineRig.FixedScorer(-6);
        Inputs = () => new(model, null, PipelineRig.Policy, _ledger.Campaigns);
        Driver = new(RedemptionTopology.BuildForTopics(static () => new(new FeatureCatalog()), Inputs, RedemptionTopologyOptions.Default), hopsAreBytes: true);
        Effects = new(
            new(Fence, new(_ledger, Time), _ledger, static () => new(new FeatureCatalog()), Inputs, EarningRule.Default, Problem, this), new(), Time);
    }

    public FakeTimeProvider Time { get; } = new(PipelineRig.Start.ToDateTimeOffset());
    public LocalFence Fence { get; }
    public TopologyDriver Driver { get; }
    public RedemptionEffects Effects { get; }
    public Func<DecisionInputs> Inputs { get; }
    public ILedger Ledger => _ledger;
    public List<EntityKind> LateParts { get; } = [];
    public List<(string Topic, LedgerRefusal Refusal)> Refusals { get; } = [];
    public long Epoch { get; private set; }

    public static ProblemAnswer Problem(LedgerRefusal refusal)
    {
        var kind = ProblemKinds.From(refusal);
        var (status, title, _) = ProblemKinds.Describe(kind);
        return new(ProblemTypes.TypeOf(kind), title, status, ProblemTypes.CodeOf(kind), null, null, null);
    }

    public async Task<EffectsRig> OwnAsync()
    {
        Epoch = await Effects.AcquireAsync(Task, CancellationToken.None);
        return this;
    }

    public Task<LedgerOutcome> PutAsync(Campaign campaign) =>
        _ledger.ExecuteAsync(new PutCampaign($"put:{campaign.Id}:{campaign.Version}", Actor.System, EventTime.Now(Time), campaign), Lane.Decision, CancellationToken.None);

    /// <summary>Through the topology, no further.</summary>
    public IReadOnlyList<SinkOutput> Process(RedemptionRequest request, ReplyAddress? replyTo = null)
    {
        Driver.Pipe(Topics.Requests, ObservedRequest.Encode(request, Entities.From(request), replyTo), request.At);
        Assert.Empty(Driver.DeadLetters);
        return Driver.TakeOutputs();
    }

    public IReadOnlyList<SinkOutput> Process(string topic, string key, byte[] value, EventTime at, ReplyAddress? replyTo = null, string? currency = null)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        new Report(topic, key, value, replyTo) { Currency = currency, Partition = 2, Offset = 17 }.Write(output);
        Driver.Pipe(topic, output.WrittenMemory, at);
        Assert.Empty(Driver.DeadLetters);
        return Driver.TakeOutputs();
    }

    public Task<IReadOnlyList<OutgoingRecord>> ApplyAsync(IReadOnlyList<SinkOutput> outputs) => Effects.ApplyAsync(Task, Epoch, outputs, CancellationToken.None);

    /// <summary>What comes back to the features.</summary>
    public void Fold(IEnumerable<OutgoingRecord> published)
    {
        foreach (var record in published.Where(record => record.Topic == Topics.Outcomes)) Driver.Pipe(record.Topic, record.Value, record.At);
        Assert.Empty(Driver.DeadLetters);
    }

    public static Reply? ReplyIn(IEnumerable<OutgoingRecord> published, string instance = "api-1") =>
        published.Where(record => record.Topic == "promotions-replies").Select(record => ReplyCodec.Decode(record.Value, instance)).OfType<Reply>().SingleOrDefault();

    public static string JsonIn(IEnumerable<OutgoingRecord> published, string topic) => System.Text.Encoding.UTF8.GetString(Assert.Single(published, record => record.Topic == topic).Value);

    public void Decided(Decision decision, bool repeated, TimeSpan sinceArrival) { }
    public void LatePart(EntityKind kind) => LateParts.Add(kind);
    public void Refused(string topic, LedgerRefusal refusal) => Refusals.Add((topic, refusal));

    public async ValueTask DisposeAsync()
    {
        Driver.Dispose();
        await _ledger.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
