using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Domain;
using Promotions.Processing.Decisions;

namespace Promotions.Api.Accounts;

/// <summary>A step as an admin asks for it, checked.</summary>
internal readonly record struct AskedStanding(long Replaces, Standing Standing, string Reason, EventTime? Until);

/// <summary>From an admin's words to an account's standing, and back.</summary>
internal static class StandingIntake
{
    /// <summary>A freeze is for looking into something; who needs longer blocks.</summary>
    public static readonly TimeSpan FreezeMax = TimeSpan.FromDays(30);

    /// <returns>Null when anything is wrong with it.</returns>
    public static AskedStanding? Read(StandingBody body, EventTime now, FieldErrors errors)
    {
        var replaces = Check.Whole(errors, body.Version, "/version", 0, int.MaxValue - 1);
        var standing = body.Standing switch { "open" => Standing.Open, "frozen" => Standing.Frozen, "blocked" => Standing.Blocked, _ => Standing.None };
        if (standing is Standing.None) errors.Add("/standing", body.Standing is null ? "required" : "unknown_value", "Must be open, frozen or blocked.");
        var reason = Check.Text(errors, body.Reason, "/reason", Bounds.NoteMax);
        var until = Check.OptionalTime(errors, body.Until, "/until");
        if (standing is Standing.Open && body.Until is not null) errors.Add("/until", "not_allowed", "An open account has no end.");
        else if (standing is Standing.Frozen && body.Until is null) errors.Add("/until", "required", "A freeze ends by itself: say when.");
        else if (until <= now) errors.Add("/until", "in_past", "Must be later than now.");
        else if (standing is Standing.Frozen && until > now.Plus(FreezeMax)) errors.Add("/until", "out_of_range", "A freeze lasts 30 days at most: block the account instead.");
        return errors.Any ? null : new(replaces, standing, reason, until);
    }

    public static StandingAnswer Tell(AccountFile file, EventTime now)
    {
        var last = file.Steps.Count > 0 ? file.Steps[0] : null;
        var standing = last?.StandingAt(now) ?? Standing.Open;
        return new(file.CustomerId, last?.Version ?? 0, Word(standing), Consequence(standing), [.. file.Steps.Select(step => new StandingStepAnswer(
            step.Version, Word(step.Standing), step.Reason, step.By, new EventTime(step.At).ToString(), step.Until is { } until ? new EventTime(until).ToString() : null))]);
    }

    private static string Word(Standing standing) => standing switch { Standing.Frozen => "frozen", Standing.Blocked => "blocked", _ => "open" };

    private static string Consequence(Standing standing) => standing switch
    {
        Standing.Frozen => "Until the freeze ends, checkout refuses every coupon and balance of this customer with account_frozen, whatever the model says. Orders at full price go on; what is held can still be captured, and balances stay.",
        Standing.Blocked => "Checkout refuses every coupon and balance of this customer with account_blocked, whatever the model says, until the block ends or is lifted. Orders at full price go on; what is held can still be captured, and balances stay.",
        _ => "Nothing is refused for the account's sake: rules, limits and the fraud policy decide as for everybody.",
    };
}
