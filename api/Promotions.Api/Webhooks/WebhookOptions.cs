namespace Promotions.Api.Webhooks;

/// <summary>How events are sent.</summary>
public sealed record WebhookOptions
{
    /// <summary>Plain http, and addresses that are not public (loopback, private networks), are allowed too: for receivers in one's own network. Default false.</summary>
    public bool AllowPrivate { get; init; }

    /// <summary>One attempt, from the name's look-up to the answer's first line. Default 15 s.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Between two looks at the ledger. Default 1 s.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>An endpoint that takes nothing for so long is suspended. Default 3 days.</summary>
    public TimeSpan SuspendAfter { get; init; } = TimeSpan.FromDays(3);

    /// <summary>An event that its receiver refuses by itself (4xx) for so long is given up, and the next one tried. Default 1 day.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromDays(1);
}
