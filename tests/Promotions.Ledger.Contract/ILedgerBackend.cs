namespace Promotions.Ledger.Contract;

/// <summary>Where the contract meets a backend: one ledger of its own, empty at the first opening and gone after <see cref="IAsyncDisposable.DisposeAsync"/>.</summary>
public interface ILedgerBackend : IAsyncDisposable
{
    /// <summary>Opens the ledger, or opens it again after the ledger that was handed out is disposed: then with all that was answered.</summary>
    Task<OpenLedger> OpenAsync(TimeProvider time);

    /// <summary>Re-checks every invariant from what is stored alone; the ledger may be open. Empty: a sound ledger.</summary>
    Task<IReadOnlyList<string>> VerifyAsync();
}

/// <summary>A ledger with the settings that are kept beside it. Disposing the ledger closes both.</summary>
public sealed record OpenLedger(ILedger Ledger, ISettingsStore Settings);
