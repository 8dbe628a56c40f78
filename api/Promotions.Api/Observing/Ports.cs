namespace Promotions.Api.Observing;

/// <summary>Something that must work before requests are sent here. Registered by the parts; asked by <c>/readyz</c>.</summary>
public interface IReadinessCheck
{
    string Name { get; }

    /// <returns>Null when ready, else a sentence for the operator, without secrets.</returns>
    ValueTask<string?> CheckAsync(CancellationToken cancellationToken);
}

/// <summary>A follower of the ledger, for <c>/metrics</c>. Registered by the parts.</summary>
public interface IFollowerLag
{
    /// <summary>A small, fixed set: <c>clickhouse</c>, <c>checkpoint</c>.</summary>
    string Name { get; }

    /// <summary>Committed positions that it has not followed yet.</summary>
    long PositionsBehind { get; }
}
