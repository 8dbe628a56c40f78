using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

[Description("Where events are sent, and which.")]
public sealed class WebhookBody
{
    [Required, MaxLength(UrlMax), Description("An https address on the internet; the server's PROMOTIONS_WEBHOOKS_PRIVATE=true allows others.")]
    public string? Url { get; set; }

    [Required, Description("flag.raised, flag.answered, redemption.decided, redemption.captured, redemption.voided, redemption.expired.")]
    public string?[]? Events { get; set; }

    [MaxLength(Bounds.NameMax)]
    public string? Description { get; set; }

    [Description("False sends nothing; enabling it again goes on where it stopped. True when left out.")]
    public bool? Enabled { get; set; }

    public const int UrlMax = 2_000;
}

/// <summary>An endpoint and how it is served.</summary>
/// <param name="State">active, disabled, failing (tried again later), suspended (until it is enabled again).</param>
/// <param name="Secret">In the answer that made it, and nowhere else.</param>
/// <param name="Behind">Committed facts that were not looked at for it yet.</param>
/// <param name="GivenUp">Events that it refused, each by itself, for a day.</param>
/// <param name="Attempts">At what stops it now.</param>
public sealed record WebhookAnswer(
    string Id, string Url, IReadOnlyList<string> Events, string? Description, [property: AllowedValues("active", "disabled", "failing", "suspended")] string State, [property: DataType(DataType.DateTime)] string CreatedAt,
    long Behind, long Delivered, [property: DataType(DataType.DateTime)] string? DeliveredAt, long GivenUp, int Attempts, [property: DataType(DataType.DateTime)] string? FailingSince,
    [property: DataType(DataType.DateTime)] string? NextAttemptAt, string? LastError, string? SuspendedBecause, string? Secret);

public sealed record WebhooksAnswer(IReadOnlyList<WebhookAnswer> Webhooks);

/// <param name="Status">What it answered; null where it did not.</param>
/// <param name="Error">Null where it was taken.</param>
public sealed record WebhookTestAnswer(bool Taken, int? Status, string? Error);
