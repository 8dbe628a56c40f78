namespace Promotions.Faults.Checking;

internal enum BreachKind
{
    /// <summary>Acknowledged, and not there.</summary>
    Lost,

    /// <summary>Acknowledged, and answered otherwise later.</summary>
    Changed,

    /// <summary>An effect more than once, or more of it than there was.</summary>
    Doubled,

    /// <summary>The fault is over, and there is still no answer.</summary>
    Stuck,

    /// <summary><c>promotions verify</c> finds the ledger unsound.</summary>
    Unsound,
}

/// <summary>A promise that was not kept.</summary>
internal sealed record Breach(BreachKind Kind, string What);
