using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Processing.Effects;
using Promotions.Processing.Records;
using Promotions.Processing.State;
using Promotions.Processing.Topologies;
using Promotions.Streams;

namespace Promotions.Processing.Tests;

/// <summary>The topology's two forms: where hops are calls, and where they are topics.</summary>
public class TopicFormTests
{
    [Fact]
    public void The_same_recorded_log_gives_the_same_vectors_and_decisions_in_both_forms()
    {
        using var calls = new TopologyDriver(RedemptionTopology.Build(NewDecider, RecordedShop.Inputs));
        using var topics = new TopologyDriver(RedemptionTopology.BuildForTopics(NewDecider, RecordedShop.Inputs, RedemptionTopologyOptions.Default), hopsAreBytes: true);
        var compared = 0;
        foreach (var (topic, value, at) in RecordedShop.Log(600))
        {
            calls.Pipe(topic, value, at);
            if (topic == Topics.Requests) topics.Pipe(topic, value, at);
            else topics.Pipe(Topics.Outcomes, FeedbackRecord.Encode(topic, value), at);
            var expected = calls.TakeOutputs().Select(output => (DecisionProposal)output.Value!).ToArray();
            var actual = topics.TakeOutputs().Select(output => ((ProposedDecision)output.Value!).Proposal).ToArray();
            Assert.Equal(expected.Select(Bytes), actual.Select(Bytes));
            compared += expected.Length;
        }

        Assert.Empty(calls.DeadLetters);
        Assert.Empty(topics.DeadLetters);
        Assert.Equal(600, compared);
    }

    [Fact]
    public void What_is_published_again_is_counted_once()
    {
        using var driver = new TopologyDriver(RedemptionTopology.BuildForTopics(NewDecider, RecordedShop.Inputs, RedemptionTopologyOptions.Default), hopsAreBytes: true);
        var first = Decide(driver, PipelineRig.Request("r-1", code: "nope"));
        var refused = FeedbackRecord.Encode(Topics.Outcomes, RecordCodec.Encode(OutcomeOf(first)));
        var order = FeedbackRecord.Encode(Topics.Orders, RecordCodec.Encode(RecordedShop.OrderOf("o-1", 1)));
        var later = FeedbackRecord.Encode(Topics.Orders, RecordCodec.Encode(RecordedShop.OrderOf("o-1", 9)));      // sent again by checkout: another arrival, the same order
        foreach (var published in (byte[][])[refused, order, refused, order, later, refused]) driver.Pipe(Topics.Outcomes, published, first.Request.At);

        var second = Decide(driver, PipelineRig.Request("r-2", atSeconds: 20));
        Assert.Equal(1, Value(second, "customer_refusals_24h"));
        Assert.Equal(1, Value(second, "device_invalid_codes_1h"));
        Assert.Equal(1, Value(second, "customer_orders_30d"));

        driver.Pipe(Topics.Outcomes, FeedbackRecord.Encode(Topics.Outcomes, RecordCodec.Encode(OutcomeOf(second) with { Status = RedemptionStatus.Rejected })), second.Request.At);
        driver.Pipe(Topics.Outcomes, FeedbackRecord.Encode(Topics.Orders, RecordCodec.Encode(RecordedShop.OrderOf("o-2", 22))), second.Request.At);
        var third = Decide(driver, PipelineRig.Request("r-3", atSeconds: 40));
        Assert.Equal(2, Value(third, "customer_refusals_24h"));
        Assert.Equal(2, Value(third, "customer_orders_30d"));
    }

    [Fact]
    public void The_address_of_whoever_waits_travels_with_the_request()
    {
        using var driver = new TopologyDriver(RedemptionTopology.BuildForTopics(NewDecider, RecordedShop.Inputs, RedemptionTopologyOptions.Default), hopsAreBytes: true);
        var request = PipelineRig.Request("r-1");
        var address = new ReplyAddress(3, "api-1", 42);
        driver.Pipe(Topics.Requests, ObservedRequest.Encode(request, Entities.From(request), address), request.At);
        var output = Assert.Single(driver.TakeOutputs());
        Assert.Equal(address, ((ProposedDecision)output.Value!).ReplyTo);

        var read = new ProposedDecisionCodec().Decode(output.Encode());
        Assert.Equal(address, read.ReplyTo);
        Assert.Equal(Bytes(((ProposedDecision)output.Value).Proposal), Bytes(read.Proposal));
    }

    [Fact]
    public void A_report_leaves_for_the_ledger_as_it_came()
    {
        using var driver = new TopologyDriver(RedemptionTopology.BuildForTopics(NewDecider, RecordedShop.Inputs, RedemptionTopologyOptions.Default), hopsAreBytes: true);
        var sent = new Report(Topics.Returns, "anna", RecordCodec.Encode(new OrderReturned("x", "o", "anna", 700, new(5), new byte[32])), new(1, "api-1", 7)) { Currency = "EUR", Partition = 2, Offset = 11 };
        driver.Pipe(Topics.Returns, new ReportCodec(), sent);
        var output = Assert.Single(driver.TakeOutputs());
        var report = (Report)output.Value!;
        Assert.Equal(RedemptionTopology.ReportsSink, output.Topic);
        Assert.Equal(sent with { Value = default }, report with { Value = default });
        Assert.True(sent.Value.Span.SequenceEqual(report.Value.Span));
    }

    [Fact]
    public void An_attempt_with_an_address_and_one_without_are_read_back()
    {
        var request = PipelineRig.Request("r-1");
        var entities = Entities.From(request);
        foreach (var address in (ReplyAddress?[])[null, new(0, "a", 0), new(300, "api-1", long.MaxValue)])
        {
            var read = ObservedRequest.Decode(ObservedRequest.Encode(request, entities, address));
            Assert.Equal(address, read.ReplyTo);
            Assert.Equal(request.Id, read.Request.Id);
            Assert.Equal(7, read.Keys.Length + 2);
        }

        Assert.Throws<InvalidDataException>(() => ObservedRequest.Decode([.. ObservedRequest.Encode(request, entities, new(0, "a", 0)), 1]));
    }

    private static DecisionProposal Decide(TopologyDriver driver, RedemptionRequest request)
    {
        driver.Pipe(Topics.Requests, ObservedRequest.Encode(request, Entities.From(request)), request.At);
        Assert.Empty(driver.DeadLetters);
        return ((ProposedDecision)Assert.Single(driver.TakeOutputs()).Value!).Proposal;
    }

    private static RedemptionOutcome OutcomeOf(DecisionProposal proposal) => Attempts.RecordedOutcomeOf(
        proposal, new(1, Ledger.LedgerRefusal.None, true, new(1, proposal, proposal.Proposed, proposal.Refusal, HoldState.None, null, proposal.Request.At), null))!;

    private static float Value(DecisionProposal proposal, string feature) => proposal.Risk.Vector.Span[FeatureRegistry.IndexOf(feature)];

    private static string Bytes(DecisionProposal proposal)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        new DecisionProposalCodec().Encode(proposal, output);
        return Convert.ToHexString(output.WrittenSpan);
    }

    private static Decider NewDecider() => new(new FeatureCatalog());
}
