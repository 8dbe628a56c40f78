using Promotions.Domain;
using Promotions.Simulation.Abuse;

namespace Promotions.Simulation;

/// <summary>Which shop. Equal options and equal feedback give equal streams.</summary>
public sealed record SimulationOptions
{
    /// <summary>Every seed is another population and another history.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Cut down to midnight UTC.</summary>
    public required EventTime Start { get; init; }

    /// <summary>Unit: days, at least 1; null goes on for ever.</summary>
    public int? Days { get; init; } = 60;

    /// <summary>The end, exclusive, instead of <see cref="Days"/>: a history that ends now.</summary>
    public EventTime? Until { get; init; }

    /// <summary>Members, existing and to come: 10 to 20,000,000. About 0.1 attempts and orders a member and day.</summary>
    public int Customers { get; init; } = 20_000;

    /// <summary>First members by index who get mail (assigned coupons, gift and partner codes); the others are walk-ins. Null: all.</summary>
    public int? MailedCustomers { get; init; }

    /// <summary>One customer per address, as experiments on customers want them.</summary>
    public bool OnePerHousehold { get; init; }

    /// <summary>Limits and budgets so wide that no customer's treatment depends on another's.</summary>
    public bool SlackLimits { get; init; }

    /// <summary>The campaigns' budgets, times this: a shop that goes on live with many more customers spends as much more. At least 1.</summary>
    public double BudgetFactor { get; init; } = 1;

    /// <summary>Kinds of abuse. Null: the four shipped; empty: an honest world.</summary>
    public IReadOnlyList<Scenario>? Scenarios { get; init; }

    /// <summary>Least time from an attempt to its capture and order: 2 h, as a shop that settles when it packs, lets a loader decide in batches.</summary>
    public TimeSpan SettleAfterMin { get; init; } = TimeSpan.FromHours(2);

    public TimeSpan SettleAfterMax { get; init; } = TimeSpan.FromHours(30);

    /// <summary>Basis points kept out of the two campaigns with a control group, 1 to 5,000.</summary>
    public int ControlShare { get; init; } = 2_000;

    /// <summary>Before every customer's, device's and order's id, so that two shops can share a ledger.</summary>
    public string IdPrefix { get; init; } = "";

    public string ApiKeyId { get; init; } = "simulated-checkout";

    /// <exception cref="ArgumentOutOfRangeException">A member is out of its range.</exception>
    internal SimulationOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Days ?? 1, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Customers, 10);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Customers, 20_000_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(BudgetFactor, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(ControlShare, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ControlShare, 5_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(SettleAfterMin, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(SettleAfterMax, SettleAfterMin);
        return this;
    }
}
