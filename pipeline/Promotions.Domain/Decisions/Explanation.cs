namespace Promotions.Domain.Decisions;

/// <summary>Why a decision has its score, for a person who asks.</summary>
/// <param name="Reasons">Strongest first; empty when there are none to give.</param>
/// <param name="IsRecorded">True: recorded with the decision. False: computed now, from the recorded vector.</param>
/// <param name="MissingBecause">A sentence, where reasons cannot be given; null otherwise.</param>
public sealed record Explanation(IReadOnlyList<RiskReason> Reasons, bool IsRecorded, string? MissingBecause);
