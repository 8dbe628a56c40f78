namespace Promotions.Faults.Traffic;

internal enum CallKind { Redeem, Capture, Void, Order, Return, Deposit, Points }

/// <summary>One request of a checkout or an admin, under an id that it keeps across retries.</summary>
/// <param name="Id">Of the command; a capture's and a void's is its redemption's.</param>
/// <param name="Body">JSON; null for none.</param>
internal sealed record Call(CallKind Kind, string Id, string Path, string? Body)
{
    /// <summary>Whose balance it moves; empty where it moves none that the checker keeps.</summary>
    public string Customer { get; init; } = "";

    /// <summary>The coupon code that a redemption asks for; null for none that is counted.</summary>
    public string? Code { get; init; }

    /// <summary>What a redemption takes of the customer's balance, or a deposit puts there. Unit: minor units, or points.</summary>
    public long Amount { get; init; }

    /// <summary><c>cash</c> or <c>points</c>; null where no balance is meant.</summary>
    public string? Segment { get; init; }

    public bool IsAdmins => Kind is CallKind.Deposit or CallKind.Points;

    /// <summary>One for each effect: two calls of one name must have one effect together.</summary>
    public string Name => $"{Kind} {Id}".ToLowerInvariant();
}

/// <summary>What the caller was told.</summary>
/// <param name="Status">HTTP's.</param>
internal readonly record struct Reply(int Status, string Body)
{
    /// <summary>A promise: it is booked.</summary>
    public bool IsAcknowledged => Status is >= 200 and < 300;

    /// <summary>Nothing was promised either way: whoever asked asks again under the same id.</summary>
    public bool IsOpen => Status is 429 or >= 500;
}
