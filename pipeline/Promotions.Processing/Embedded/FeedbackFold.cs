using Promotions.Domain.Events;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;

namespace Promotions.Processing.Embedded;

/// <summary>What each kind of feedback does to features, live and on replay alike.</summary>
internal static class FeedbackFold
{
    public static object? Decode(string topic, ReadOnlySpan<byte> value) => topic switch
    {
        Topics.Outcomes => RecordCodec.DecodeOutcome(value),
        Topics.Labels => RecordCodec.DecodeLabel(value),
        Topics.Orders => RecordCodec.DecodeOrder(value),
        Topics.Returns => RecordCodec.DecodeReturn(value),
        Topics.Engagements or Topics.Captures or Topics.Voids or Topics.Repriced => null,      // no feature counts them
        _ => throw new InvalidDataException($"The log has a record of topic '{topic}', which this build does not know."),
    };

    public static void Apply(IFeatureFold features, object? record)
    {
        switch (record)
        {
            case RedemptionOutcome outcome: features.Fold(outcome); break;
            case LabelRecorded label: features.Fold(label); break;
            case OrderPlaced order: features.Fold(order); break;
            case OrderReturned returned: features.Fold(returned); break;
        }
    }
}
