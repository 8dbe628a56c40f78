using Promotions.Domain;
using Promotions.Domain.Decisions;

namespace Promotions.Ledger;

/// <summary>A flag without an answer.</summary>
/// <param name="Position">Of its decision.</param>
/// <param name="Hold">As it is now: what an answer can still change.</param>
public sealed record OpenFlag(long Position, HoldState Hold);

/// <summary>A label with who gave it and why.</summary>
/// <param name="Id">Of its command.</param>
/// <param name="Position">Of its entry: later than that of the decision which it judges.</param>
public sealed record RedemptionLabel(string Id, string RedemptionId, long Position, bool Abuse, string Source, string? Note, string Actor, EventTime At);

/// <summary>A decision that somebody judged.</summary>
public sealed record LabelledDecision(Decision Decision, bool Abuse, string Source, EventTime LabelledAt);

/// <summary>A purchase in a customer's history.</summary>
/// <param name="Total">Paid, minor units.</param>
/// <param name="Returned">Given back so far, minor units.</param>
public sealed record CustomerOrder(string Id, EventTime At, string Currency, long Total, long Returned);

/// <summary>What reviewers look at. Bounded reads of committed state, each by an index. Safe from any thread.</summary>
public interface IReviewReader
{
    /// <summary>Newest first.</summary>
    IReadOnlyList<OpenFlag> OpenFlags(int max);

    /// <summary>Flags whose answer, the last one where there are several, was given at the time or later.</summary>
    long AnswersSince(EventTime since);

    /// <summary>All labels of these redemptions, those of one in the order in which they were recorded.</summary>
    IReadOnlyList<RedemptionLabel> LabelsOf(IReadOnlyList<string> redemptionIds);

    /// <summary>By label, the newest first: a decision with two labels comes twice.</summary>
    IReadOnlyList<LabelledDecision> LatestLabelled(int max);

    /// <summary>Newest first.</summary>
    IReadOnlyList<CustomerOrder> OrdersOf(string customerId, int max);
}
