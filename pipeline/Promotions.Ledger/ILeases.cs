namespace Promotions.Ledger;

/// <summary>Roles that one process at a time may play: a follower that delivers, a job that cleans up.</summary>
public interface ILeases
{
    /// <summary>Waits until nobody holds the name, and takes it.</summary>
    /// <param name="holder">Who takes it, for operators: host and process.</param>
    /// <exception cref="LedgerFaultException">This process may not take leases.</exception>
    /// <exception cref="OperationCanceledException">It was not free in time.</exception>
    Task<ILease> LeaseAsync(string name, string holder, CancellationToken cancellationToken);
}

/// <summary>Held until disposed or lost; renewed by itself.</summary>
public interface ILease : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Cancelled once another may hold the name: the holder ends what it does. A process that was stopped may learn it late, but cannot write.</summary>
    CancellationToken Lost { get; }

    /// <summary>The ledger's settings, for the holder's position and the like: a write of one who is no longer the holder is refused with <see cref="TaskTakenException"/>.</summary>
    ISettingsStore Settings { get; }
}
