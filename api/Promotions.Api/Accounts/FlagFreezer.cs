using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Processing.Decisions;

namespace Promotions.Api.Accounts;

/// <summary>Freezes the accounts of flags above the level that an admin set. Off until one is set.</summary>
/// <remarks>
/// Looks at unanswered flags, newest first, back to a minute before its last look, so that a commit that becomes visible late is seen; after a restart as far back as a freeze lasts. Doing it twice is harmless: an account with a step
/// later than the flag is left alone, so whoever opened it again is not overruled by the same flag. One process at a time should do it; two would meet the account's version.
/// </remarks>
public sealed class FlagFreezer(ILedgerReader reader, AccountBook book, FlagRulesStore store, TimeProvider time)
{
    /// <summary>The audit log's name for it: a rule, not a person.</summary>
    public static readonly Actor Rule = new("rule", "flag-freeze");

    private const int PageLength = 100;
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(1);
    private EventTime? _lookedAt;

    /// <returns>How many accounts were frozen.</returns>
    /// <exception cref="LedgerFaultException">The next look finds the same flags again.</exception>
    public async Task<int> FreezeAsync(CancellationToken cancellationToken)
    {
        var now = EventTime.Now(time);
        var rules = store.Read();
        var frozen = 0;
        if (rules.FreezeFrom is { } level)
        {
            var back = (_lookedAt ?? now.Plus(-TimeSpan.FromHours(rules.FreezeHours))).Plus(-Overlap);
            if (back.UnixMilliseconds < rules.FreezeSince) back = new(rules.FreezeSince);
            for (var before = long.MaxValue; ;)
            {
                var page = reader.Flags(openOnly: true, PageLength, before);
                foreach (var flag in page)
                    if (flag.Decision.DecidedAt >= back && flag.Decision.Proposal.Risk.Probability >= level && await FreezeAsync(flag, level, rules.FreezeHours, now, cancellationToken)) frozen++;
                if (page.Count < PageLength || page[^1].Decision.DecidedAt < back) break;
                before = page[^1].Decision.Position;
            }
        }

        _lookedAt = now;
        return frozen;
    }

    private async Task<bool> FreezeAsync(Flag flag, double level, int hours, EventTime now, CancellationToken cancellationToken)
    {
        var request = flag.Decision.Proposal.Request;
        var steps = book.Find(request.Customer.Id).Steps;
        if (steps.Count > 0 && (steps[0].At >= flag.Decision.DecidedAt.UnixMilliseconds || steps[0].StandingAt(now) is not Standing.Open)) return false;
        var reason = FormattableString.Invariant($"Flag {request.Id}: {flag.Decision.Proposal.Risk.Probability:P0} probability of abuse; the setting freezes from {level:P0} on");
        var (_, taken) = await book.PutAsync(request.Customer.Id, steps.Count > 0 ? steps[0].Version : 0, Standing.Frozen, reason, now.Plus(TimeSpan.FromHours(hours)), Rule, cancellationToken);
        return taken;
    }
}
