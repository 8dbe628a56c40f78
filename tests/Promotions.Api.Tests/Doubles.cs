using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Processing;
using Promotions.Processing.Decisions;
using Promotions.Scoring;

namespace Promotions.Api.Tests;

/// <summary>One answer for every vector, and one reason: what the device did.</summary>
internal sealed class FixedScorer(double probability) : IScorer
{
    public string ModelHash => new('a', 64);
    public ulong LayoutHash => FeatureRegistry.LayoutHash;
    public int FeatureCount => FeatureRegistry.Count;
    public double ExpectedScore => 0;
    public double RawScore(ReadOnlySpan<float> vector) => 1.5;
    public double Probability(double rawScore) => probability;

    public void Explain(ReadOnlySpan<float> vector, Span<double> contributions)
    {
        contributions.Clear();
        contributions[FeatureRegistry.IndexOf("device_attempts_24h")] = 1.5;
    }
}

internal static class PolicyOfTests
{
    public static readonly FraudPolicy Lenient = new(1, FraudCosts.Default, 0.05, [], [], TimeSpan.FromMinutes(30));
}

/// <summary>The real gateway until told to fail: the one fault that a healthy ledger cannot show.</summary>
public sealed class BadGateway(IRedemptionGateway real) : IRedemptionGateway
{
    public Exception? Fault { get; set; }
    public bool Silent { get; set; }

    public Task<LedgerOutcome> RedeemAsync(RedemptionRequest request, CancellationToken cancellationToken) =>
        Silent ? new TaskCompletionSource<LedgerOutcome>().Task
        : Fault is { } fault ? Task.FromException<LedgerOutcome>(fault) : real.RedeemAsync(request, cancellationToken);

    public Task<Qualification> QualifyAsync(RedemptionRequest request, CancellationToken cancellationToken) => real.QualifyAsync(request, cancellationToken);
    public Task<LedgerOutcome> CaptureAsync(CaptureRequested request, CancellationToken cancellationToken) => real.CaptureAsync(request, cancellationToken);
    public Task<LedgerOutcome> VoidAsync(VoidRequested request, CancellationToken cancellationToken) => real.VoidAsync(request, cancellationToken);
    public Task<LedgerOutcome> RecordAsync(OrderPlaced order, CancellationToken cancellationToken) => real.RecordAsync(order, cancellationToken);
    public Task<LedgerOutcome> RecordAsync(OrderReturned returned, CancellationToken cancellationToken) => real.RecordAsync(returned, cancellationToken);
    public Task<LedgerOutcome> RecordAsync(EngagementRecorded engagement, CancellationToken cancellationToken) => real.RecordAsync(engagement, cancellationToken);
    public Task<LedgerOutcome> RecordAsync(LabelRecorded label, CancellationToken cancellationToken) => real.RecordAsync(label, cancellationToken);
}
