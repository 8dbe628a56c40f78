using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Ledger;

namespace Promotions.Processing.Reviews;

/// <summary>What came of a reviewer's answer.</summary>
/// <param name="LabelId">Of the label that says so; null for a redemption that was never flagged.</param>
/// <param name="Position">Of the label's entry.</param>
public sealed record ReviewOutcome(string? LabelId, long Position, LedgerRefusal Refusal, string? Detail)
{
    public bool Accepted => Refusal is LedgerRefusal.None;
}

/// <summary>Takes reviewers' answers, for the API and the dashboard alike. An answer is a label; the newest one counts.</summary>
/// <remarks>The label's id says which answer of the redemption it is, the first, the second and so on. The same answer again is the same label, a change of mind is the next one, and of two people who
/// answer differently at once one is told so.</remarks>
public sealed class ReviewDesk(ILedgerReader ledger, IRedemptionGateway gateway, TimeProvider time)
{
    private const string Source = "review";

    /// <param name="actor">Id of the key that answers.</param>
    /// <exception cref="LedgerFaultException">It is unknown whether the answer was recorded: the same again counts once.</exception>
    public async Task<ReviewOutcome> AnswerAsync(string redemptionId, bool abuse, string? note, string actor, CancellationToken cancellationToken)
    {
        if (ledger.FindFlag(redemptionId) is not { } flag) return new(null, 0, LedgerRefusal.UnknownRedemption, null);
        var given = ledger.LabelsOf([redemptionId]).Where(label => label.Source is Source).ToArray();
        if (given is [.., var last] && last.Abuse == abuse) return new(last.Id, last.Position, LedgerRefusal.None, null);
        var id = LabelId(redemptionId, given.Length);
        var label = new LabelRecorded(id, redemptionId, abuse, Source, note, actor, EventTime.Now(time), flag.Decision.Proposal.Entities);
        var outcome = await gateway.RecordAsync(label, cancellationToken).ConfigureAwait(false);
        return new(id, outcome.Position, outcome.Refusal, outcome.Detail);
    }

    /// <param name="given">How many answers there were before.</param>
    internal static string LabelId(string redemptionId, int given) =>
        "review-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{given}:{redemptionId}"))).AsSpan(0, 16));
}
