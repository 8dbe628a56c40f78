using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

/// <summary>The answer to <c>GET /v1/redemptions/{id}/smallest-change</c>; admins only.</summary>
/// <param name="Sentence">All of it in words.</param>
/// <param name="Smallest">With a lighter verdict than the recorded one; null where nothing surely has.</param>
/// <param name="Approved">The smallest that would have been approved; equal to <paramref name="Smallest"/> where that is.</param>
/// <param name="HeldBy">What the customer cannot change and spoke against the request, strongest first.</param>
/// <param name="LookedAt">Combinations that were priced and scored.</param>
/// <param name="ChangesMax">All combinations of up to so many changes were looked at, unless fewer approve; 0 where nothing can be left out.</param>
/// <param name="MissingBecause">A sentence where the question cannot be answered; null otherwise.</param>
public sealed record SmallestChangeAnswer(
    string Id,
    [property: AllowedValues("approved", "review", "blocked", "rejected")] string Status,
    string Sentence,
    PassingChangeAnswer? Smallest,
    PassingChangeAnswer? Approved,
    IReadOnlyList<RiskReasonAnswer> HeldBy,
    int LookedAt,
    int ChangesMax,
    string? MissingBecause);

/// <param name="GivenUp">What the customer does without: goods, discounts and what balances paid.</param>
/// <param name="Score">Calibrated probability of abuse, 0 to 1.</param>
/// <param name="ScoreIsExact">False: the record does not hold a feature exactly, so this is the most that it can have been.</param>
/// <param name="Discount">Of what is left.</param>
/// <param name="Total">Of what is left, before balances pay.</param>
public sealed record PassingChangeAnswer(
    IReadOnlyList<ChangeAnswer> Changes,
    [property: AllowedValues("approved", "review")] string Verdict,
    double Score,
    bool ScoreIsExact,
    MoneyBody GivenUp,
    MoneyBody Discount,
    MoneyBody Total);

/// <param name="What">The code, the balance or the line.</param>
public sealed record ChangeAnswer(
    [property: AllowedValues("drop_code", "drop_balance", "drop_line", "keep_one_piece")] string Change,
    string What,
    MoneyBody GivenUp);
