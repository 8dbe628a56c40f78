using System.Collections.Frozen;
using Promotions.Domain;
using Promotions.Domain.Campaigns;

namespace Promotions.Processing.Decisions;

/// <summary>How an account stands. Frozen ends by itself at a set time; blocked lasts until it is lifted or, where one was set, its end.</summary>
public enum Standing : byte { None = 0, Open = 1, Frozen = 2, Blocked = 3 }

/// <summary>An account that redeems nothing for now.</summary>
/// <param name="Until">Exclusive; null for a block without an end.</param>
public sealed record AccountStanding(string CustomerId, Standing Standing, EventTime? Until);

/// <summary>The accounts that are frozen or blocked, at one moment. Immutable.</summary>
/// <remarks>Judged by the request's own time, so equal logs under equal standings give equal decisions; the standing's beginning is not compared, so that a late request does not slip in before it.</remarks>
public sealed class AccountStandings(IEnumerable<AccountStanding> barred)
{
    public static readonly AccountStandings AllOpen = new([]);

    private readonly FrozenDictionary<string, AccountStanding> _barred = barred.ToFrozenDictionary(account => account.CustomerId, StringComparer.Ordinal);

    /// <returns>None for an account that is open at that time.</returns>
    public RefusalCode RefusalOf(string customerId, EventTime at) => !_barred.TryGetValue(customerId, out var account) || at >= account.Until
        ? RefusalCode.None
        : account.Standing switch
        {
            Standing.Frozen => RefusalCode.AccountFrozen,
            Standing.Blocked => RefusalCode.AccountBlocked,
            _ => RefusalCode.None,
        };
}
