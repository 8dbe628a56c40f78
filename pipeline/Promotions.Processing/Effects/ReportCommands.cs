using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Processing.Embedded;
using Promotions.Processing.Records;

namespace Promotions.Processing.Effects;

/// <summary>What a report from outside does to the ledger: it counts for features only where the ledger took it.</summary>
public static class ReportCommands
{
    /// <returns>Null for a record that only feeds features.</returns>
    public static LedgerCommand? Of(string topic, ReadOnlySpan<byte> value, EarningRule earning)
    {
        switch (topic)
        {
            case Topics.Orders:
                var order = RecordCodec.DecodeOrder(value);
                return new RecordOrder(ByKey(order.ApiKeyId), order, earning.PointsFor(order), earning.ExpiryFor(order));
            case Topics.Returns: return new RecordReturn(Actor.System, RecordCodec.DecodeReturn(value));
            case Topics.Engagements:
                var engagement = RecordCodec.DecodeEngagement(value);
                return new RecordEngagement(ByKey(engagement.ApiKeyId), engagement);
            case Topics.Labels:
                var label = RecordCodec.DecodeLabel(value);
                return new RecordLabel(new Actor("person", label.Actor), label);
            case Topics.Captures:
                var capture = RecordCodec.DecodeCapture(value);
                return new CaptureHold(IdOf(capture), ByKey(capture.ApiKeyId), capture.At, capture.RedemptionId);
            case Topics.Voids:
                var voided = RecordCodec.DecodeVoid(value);
                return new VoidHold(IdOf(voided), ByKey(voided.ApiKeyId), voided.At, voided.RedemptionId, voided.Reason);
            default: return null;
        }
    }

    public static string IdOf(CaptureRequested capture) => "capture:" + capture.RedemptionId;
    public static string IdOf(VoidRequested voided) => "void:" + voided.RedemptionId;

    private static Actor ByKey(string apiKeyId) => new("api_key", apiKeyId);
}
