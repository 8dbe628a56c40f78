namespace Promotions.Contracts;

/// <summary>What came of an admin's step on the dashboard.</summary>
/// <param name="Problem">Why nothing changed, in a sentence; null when it was done.</param>
public sealed record DeskAnswer(string? Problem)
{
    public static readonly DeskAnswer Done = new((string?)null);
}

/// <summary>The fraud policy for the dashboard: the same checks, versions and audit as <c>/v1/policies/fraud</c>.</summary>
public interface IPolicyDesk
{
    FraudPolicyAnswer Read();

    /// <summary>Makes this the policy that decides. A body that names another version than the current one changes nothing.</summary>
    /// <param name="keyId">Of the admin who asks: the audit log names it.</param>
    Task<DeskAnswer> PutAsync(FraudPolicyBody body, string keyId, CancellationToken cancellationToken);

    /// <summary>What passed although the model would have blocked it, over the usual days.</summary>
    /// <exception cref="Exception">The analytics store does not answer.</exception>
    Task<LetThroughOutcomesAnswer> LetThroughAsync(CancellationToken cancellationToken);
}
