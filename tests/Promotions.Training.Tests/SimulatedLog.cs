using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;
using Promotions.Simulation;

namespace Promotions.Training.Tests;

/// <summary>A simulated shop's log as a ledger would hold it: requests, their outcomes, orders, returns and labels, in one order.</summary>
internal sealed class SimulatedLog
{
    private static readonly ChannelPolicy Till = new("pos-*", ["device", "ip", "network"], ScorerFallback.Review);
    private static readonly ChannelPolicy Others = new("*", [], ScorerFallback.Review);

    private readonly List<LogRecord> _records = [];
    private readonly Dictionary<string, AttemptEntities> _attempts = new(StringComparer.Ordinal);

    private SimulatedLog() { }

    /// <summary>Who made an attempt, and what it was given.</summary>
    /// <param name="Discount">Minor units; 0 where the rules refused it.</param>
    public readonly record struct Fact(Truth Truth, long Discount);

    public Dictionary<string, Fact> Facts { get; } = new(StringComparer.Ordinal);

    public ReferenceCheckout Checkout { get; } = new();
    public IReadOnlyList<LogRecord> Records => _records;

    public static SimulatedLog Create(SimulationOptions options)
    {
        var log = new SimulatedLog();
        log.Checkout.Run(new SimulatedRetailer(options), log.Take);
        return log;
    }

    private void Take(SimulatedEvent happened, DecisionFeedback? feedback)
    {
        switch (happened)
        {
            case RedemptionAttempted attempt: Attempt(attempt, feedback!); break;
            case Ordered { Order: var order }: Add(Topics.Orders, order.Id, RecordCodec.Encode(order), order.At); break;
            case Returned { Return: var back }: Add(Topics.Returns, back.Id, RecordCodec.Encode(back), back.At); break;
            case Labelled { Label: var label } when _attempts.TryGetValue(label.RedemptionId, out var entities):
                Add(Topics.Labels, label.Id, RecordCodec.Encode(label with { Entities = entities }), label.At);
                break;
        }
    }

    private void Attempt(RedemptionAttempted attempt, DecisionFeedback feedback)
    {
        var request = attempt.Request;
        Facts[request.Id] = new(attempt.Truth, feedback.DiscountMinorUnits);
        var entities = ChannelEntities.Of(request, request.Channel.StartsWith("pos-", StringComparison.Ordinal) ? Till : Others);
        _attempts[request.Id] = entities;
        Add(Topics.Requests, request.Id, ObservedRequest.Encode(request, entities), request.At);
        var invalid = PromotionEngine.Price(request, Checkout, request.At).Redeemables.Any(one => one.UnknownCode);
        Add(Topics.Outcomes, request.Id, RecordCodec.Encode(new RedemptionOutcome(request.Id, request.Kind, feedback.Status, feedback.Refusal.ToString(), invalid, feedback.DiscountMinorUnits, request.At, entities)), request.At);
    }

    private void Add(string topic, string key, byte[] value, EventTime at) => _records.Add(new(_records.Count + 1, topic, key, value, at, 0));
}
