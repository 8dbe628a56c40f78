using System.Globalization;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Processing.Changes;

/// <summary>What a customer can leave out of a request. The numbers are the order in which equals are named.</summary>
public enum ChangeKind : byte { None = 0, DropCode = 1, DropBalance = 2, DropLine = 3, KeepOnePiece = 4 }

/// <summary>One thing left out.</summary>
/// <param name="Index">Of the redeemable or the line in the request.</param>
/// <param name="What">The code, the kind of balance or the line's id, as the request names it.</param>
/// <param name="GivenUp">What the customer does without, at the request's own price: the code's discount, what the balance paid, the goods. Unit: minor units.</param>
public sealed record CustomerChange(ChangeKind Kind, int Index, string What, long GivenUp)
{
    /// <summary>To go on after "without" or "with".</summary>
    public string Text => Kind switch
    {
        ChangeKind.DropCode => $"without the code {What}",
        ChangeKind.DropBalance => $"without paying from {What}",
        ChangeKind.DropLine => $"without line {What}",
        _ => $"with one piece of line {What}",
    };
}

/// <summary>Changes that together would have let the request pass.</summary>
/// <param name="Verdict">What fraud would have said: Review or Approved.</param>
/// <param name="Probability">Calibrated, 0 to 1.</param>
/// <param name="IsExact">False: the record does not hold one of the features exactly, and the verdict is the worst over all that it may have been; the probability is at most this.</param>
/// <param name="Priced">The changed request, priced as it would have been then.</param>
public sealed record PassingChange(IReadOnlyList<CustomerChange> Changes, RedemptionStatus Verdict, double Probability, bool IsExact, PricedCart Priced)
{
    /// <summary>What the customer does without. Unit: minor units.</summary>
    public long GivenUp => Changes.Sum(change => change.GivenUp);
}

/// <summary>The least that a customer could have left out of a blocked or reviewed request for it to pass at that moment.</summary>
/// <param name="Smallest">Fewest changes, then least given up, with a lighter verdict than the recorded one; null where none has.</param>
/// <param name="Approved">The same for approval alone: equal to <paramref name="Smallest"/> where that is approved already.</param>
/// <param name="HeldBy">What the customer cannot change and spoke against the request: the hard rule, then what raised the score, strongest first.</param>
/// <param name="LookedAt">Combinations that were priced and scored.</param>
/// <param name="ChangesMax">Every combination of so many changes was looked at, up to one that approves. 0 where the request has nothing to leave out.</param>
/// <param name="MissingBecause">A sentence where the question cannot be answered; null otherwise.</param>
public sealed record SmallestChange(PassingChange? Smallest, PassingChange? Approved, IReadOnlyList<RiskReason> HeldBy, int LookedAt, int ChangesMax, string? MissingBecause)
{
    /// <summary>The answer in words.</summary>
    public string Sentence
    {
        get
        {
            if (MissingBecause is not null) return MissingBecause;
            if (Smallest is null) return Nothing();
            var sentence = "It would have been " + Clause(Smallest);
            return Smallest.Verdict is RedemptionStatus.Approved ? sentence + "."
                : Approved is null ? sentence + "; nothing that the customer can leave out would have had it approved."
                : $"{sentence}, and {Clause(Approved)}.";
        }
    }

    internal static SmallestChange Missing(string because) => new(null, null, [], 0, 0, because);

    private string Nothing()
    {
        // What is missing weighs in too, but only the list that goes with this can say whose it is.
        var told = HeldBy.Where(reason => !float.IsNaN(reason.Value)).Select(reason => reason.Sentence.TrimEnd('.')).ToList();
        var held = told.Count == 0 ? "" : $" It is held there by: {string.Join(". ", told)}.";
        return ChangesMax == 0
            ? "The request has nothing that the customer could leave out." + held
            : string.Create(CultureInfo.InvariantCulture, $"Nothing that the customer can leave out would surely have let it pass ({LookedAt} ways, up to {ChangesMax} changes at once).{held}");
    }

    private static string Clause(PassingChange change) => string.Create(CultureInfo.InvariantCulture,
        $"{(change.Verdict is RedemptionStatus.Approved ? "approved" : "let through for review")} {string.Join(" and ", change.Changes.Select(one => one.Text))} (probability of abuse {(change.IsExact ? "" : "at most ")}{change.Probability * 100:0.##} %)");
}
