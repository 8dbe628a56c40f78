namespace Promotions.Faults.Checking;

/// <summary>A decision as the ledger's tables have it.</summary>
/// <param name="Count">Rows under this id.</param>
/// <param name="Status">1 approved, 2 review, 3 blocked, 4 rejected.</param>
/// <param name="Hold">0 none, 1 held, 2 captured, 3 voided, 4 expired.</param>
/// <param name="Leaves">In the audit tree.</param>
internal sealed record DecisionFact(long Count, int Status, int Hold, long Leaves);

/// <summary>Of an account: free to take, held, used for good.</summary>
internal sealed record BalanceFact(long Free, long Held, long Used);

/// <summary>What stands in the ledger's tables, read behind the system's back.</summary>
internal sealed record LedgerFacts
{
    /// <summary>By redemption.</summary>
    public required IReadOnlyDictionary<string, DecisionFact> Decisions { get; init; }

    /// <summary>Entries that booked something, by id of their command. A refusal (as past a deadline) has an entry too, and books nothing.</summary>
    public required IReadOnlyDictionary<string, long> Entries { get; init; }

    /// <summary>Uses by code.</summary>
    public required IReadOnlyDictionary<string, BalanceFact> Codes { get; init; }

    /// <summary>By campaign.</summary>
    public required IReadOnlyDictionary<string, BalanceFact> Budgets { get; init; }

    /// <summary>By customer and segment.</summary>
    public required IReadOnlyDictionary<(string Customer, string Segment), BalanceFact> Balances { get; init; }
}
