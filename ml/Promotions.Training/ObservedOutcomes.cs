using Promotions.Domain.Events;

namespace Promotions.Training;

/// <summary>Whose outcome was seen, and for how many like it each of those stands.</summary>
/// <remarks>
/// An attempt that was given nothing cannot be charged back: without a label it says nothing, and counted as honest it would teach that what is blocked is honest. Where the policy let a share p of would-be blocks
/// through, an outcome is seen of those that passed and of those that reviewers answered, r of the rest. Each is weighed by 1 / (p + (1 − p) · r) (Horvitz and Thompson 1952), so that together they stand for all of them.
/// r is the share of this data set, and taken to be blind to the outcome: a reviewer who sees the score picks, and that part stays biased.
/// </remarks>
public static class ObservedOutcomes
{
    /// <returns>One weight a row, in the rows' order; 0 for a row whose outcome nobody saw.</returns>
    public static float[] Weigh(IReadOnlyList<LoggedAttempt> rows)
    {
        var (stopped, answered) = (0, 0);
        foreach (var row in rows)
        {
            if (row.LetThrough is null || row.Status is not RedemptionStatus.Blocked) continue;
            stopped++;
            if (row.Abuse is not null) answered++;
        }

        var reviewed = stopped == 0 ? 0 : (double)answered / stopped;
        return [.. rows.Select(row => row switch
        {
            { Abuse: null, Status: RedemptionStatus.Blocked or RedemptionStatus.Rejected } => 0f,
            { LetThrough: { } draw, Status: RedemptionStatus.Approved or RedemptionStatus.Blocked } => (float)(1 / (draw.Propensity + ((1 - draw.Propensity) * reviewed))),
            _ => 1f,
        })];
    }
}
