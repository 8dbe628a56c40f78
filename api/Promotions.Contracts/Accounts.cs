using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

[Description("How an account stands from now on.")]
public sealed class StandingBody
{
    [Required, Range(0, int.MaxValue - 1), Description("The version that this replaces; 0 for an account that nobody ever froze or blocked.")]
    public long? Version { get; set; }

    [Required, AllowedValues("open", "frozen", "blocked")]
    public string? Standing { get; set; }

    [Required, StringLength(Bounds.NoteMax, MinimumLength = 1), Description("For colleagues and auditors; the customer never sees it.")]
    public string? Reason { get; set; }

    [DataType(DataType.DateTime), Description("Exclusive. A freeze needs one, at most 30 days ahead; a block without one lasts until it is lifted; open takes none.")]
    public string? Until { get; set; }
}

/// <param name="Version">To name when it is changed; 0 where nobody ever changed it.</param>
/// <param name="Standing">Now: what has expired is open.</param>
/// <param name="Consequence">What it means for the customer, in words.</param>
/// <param name="Steps">The latest 20, newest first.</param>
public sealed record StandingAnswer(
    string CustomerId, long Version, [property: AllowedValues("open", "frozen", "blocked")] string Standing, string Consequence, IReadOnlyList<StandingStepAnswer> Steps);

/// <param name="By">The id of the key.</param>
public sealed record StandingStepAnswer(
    long Version, [property: AllowedValues("open", "frozen", "blocked")] string Standing, string Reason, string By,
    [property: DataType(DataType.DateTime)] string At, [property: DataType(DataType.DateTime)] string? Until);

public sealed record StandingsAnswer(IReadOnlyList<StandingAnswer> Accounts);

[Description("From which probability of abuse on a flag is worth a bell, and a freeze of its account.")]
public sealed class FlagRulesBody
{
    [Required, Range(0, 1), Description("Unanswered flags from here on are counted beside the dashboard's bell.")]
    public double? NotifyFrom { get; set; }

    [Range(0, 1), Description("A flag from here on freezes its account; none does when left out.")]
    public double? FreezeFrom { get; set; }

    [Required, Range(1, 720)]
    public long? FreezeHours { get; set; }

    [Range(0, 1_000_000), Description("Flags that reviewers answer in a day; as it was when left out, 50 where it was never set.")]
    public long? ReviewsPerDay { get; set; }
}

/// <summary>Accounts for the dashboard: the same checks, versions and audit as <c>/v1/customers/{id}/standing</c>.</summary>
public interface IAccountDesk
{
    StandingAnswer Read(string customerId);

    /// <summary>The accounts that are frozen or blocked now, the latest change first; at most 100.</summary>
    IReadOnlyList<StandingAnswer> Barred();

    /// <summary>The probability from which on an unanswered flag is counted beside the bell, 0 to 1.</summary>
    double NotifyFrom { get; }

    /// <summary>Flags that reviewers answer in a day.</summary>
    int ReviewsPerDay { get; }

    /// <param name="keyId">Of the admin who asks: the audit log names it.</param>
    Task<DeskAnswer> PutAsync(string customerId, StandingBody body, string keyId, CancellationToken cancellationToken);
}
