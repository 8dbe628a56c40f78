using Promotions.Domain.Events;

namespace Promotions.Contracts.Intake;

/// <summary>Engagements and labels, from HTTP or a topic.</summary>
public static class EventIntake
{
    public static EngagementRecorded? Engagement(EngagementBody body, in Caller caller, FieldErrors errors)
    {
        var channel = Check.Id(errors, body.Channel, "/channel");
        var customerId = Check.Id(errors, body.CustomerId, "/customer_id");
        var type = Check.Id(errors, body.Type, "/type");
        if (errors.Any) return null;

        var hash = CanonicalHash.Of("engagement", caller.Id, caller.ApiKeyId, channel, customerId, type);
        return new(caller.Id, channel, caller.ApiKeyId, customerId, type, caller.At, hash);
    }

    public static CheckedLabel? Label(LabelBody body, FieldErrors errors)
    {
        var redemptionId = Check.Id(errors, body.RedemptionId, "/redemption_id");
        if (body.Abuse is null) errors.Add("/abuse", "required", "Is missing.");
        if (body.Source is not ("review" or "chargeback" or "refund" or "import"))
            errors.Add("/source", body.Source is null ? "required" : "unknown_value", "Must be review, chargeback, refund or import.");
        var note = Check.OptionalText(errors, body.Note, "/note", Bounds.NoteMax);
        return errors.Any ? null : new(redemptionId, body.Abuse!.Value, body.Source!, note);
    }
}

/// <summary>What a label says. The entities that it is about come from the redemption's record, never from the caller.</summary>
public sealed record CheckedLabel(string RedemptionId, bool Abuse, string Source, string? Note);
