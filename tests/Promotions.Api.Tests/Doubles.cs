using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Processing;
using Promotions.Processing.Decisions;
using Promotions.Scoring;

namespace Promotions.Api.Tests;

/// <summary>A fold with one feature that counts nothing: these tests are about the surface, not about evidence.</summary>
internal sealed class NoFeatures : IFeatureFold, IFeatureCatalog
{
    public ulong LayoutHash => 1;
    public int VectorLength => 1;
    public int Count => 1;
    public long CheckpointPosition { get; private set; }
    public bool WantsCheckpoint => false;
    public uint Observe(RedemptionRequest request, AttemptEntities entities, Span<float> vector) => 0;
    public void Fold(RedemptionOutcome outcome) { }
    public void Fold(LabelRecorded label) { }
    public void Fold(OrderPlaced order) { }
    public void Fold(OrderReturned returned) { }
    public void Describe(RedemptionRequest request, PricedCart priced, Span<float> vector) { }
    public void Checkpoint(long position) => CheckpointPosition = position;
    public void RollBack() { }
    public int IndexOf(string name) => name == "attempts" ? 0 : -1;
    public string NameOf(int index) => "attempts";
    public string Describe(int index, float value, string currency, AttemptEntities entities) => "9 accounts redeemed from this device in 24 h";
    public string? EntityOf(int index, AttemptEntities entities) => entities.Device is null ? null : "device:" + entities.Device;
}

internal sealed class FixedScorer(double probability) : IScorer
{
    public string ModelHash => new('a', 64);
    public ulong LayoutHash => 1;
    public int FeatureCount => 1;
    public double ExpectedScore => 0;
    public double RawScore(ReadOnlySpan<float> vector) => 1.5;
    public double Probability(double rawScore) => probability;
    public void Explain(ReadOnlySpan<float> vector, Span<double> contributions) => contributions[0] = 1.5;
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
