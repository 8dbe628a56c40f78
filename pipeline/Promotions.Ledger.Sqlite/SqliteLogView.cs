using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Ledger.Writing;
using Promotions.Ledger.Sqlite.Storage;

namespace Promotions.Ledger.Sqlite;

/// <summary>A ledger file to read and not to write, also while another process writes it: the log, decisions, campaigns and settings. Safe from several threads.</summary>
/// <remarks>The log only grows, so its first records up to a position are one moment of the system, however long they are read: no copy is made, and each page is a transaction of its own, so that the writer's checkpoints advance.</remarks>
public sealed class SqliteLogView : IDisposable
{
    private readonly ReaderPool _readers;

    private SqliteLogView(ReaderPool readers, CampaignView campaigns) => (_readers, Campaigns) = (readers, campaigns);

    /// <summary>As they were when the file was opened.</summary>
    public ICampaignSnapshot Campaigns { get; }

    /// <summary>The log's end at this moment.</summary>
    public long LastLogPosition => _readers.Read(db => db.Scalar("SELECT max(position) FROM entry WHERE topic IS NOT NULL"));

    /// <exception cref="LedgerFaultException">There is no such file, or it is no ledger of this version.</exception>
    public static SqliteLogView Open(string path)
    {
        ReaderPool? readers = null;
        try
        {
            readers = new(path, 1, vfs: null);
            if (readers.Read(db => db.Scalar("PRAGMA user_version")) is var version && version != Schema.Current) throw new LedgerFaultException($"The ledger at {path} has schema {version}; this build reads {Schema.Current}.");
            var campaigns = readers.Read(SqliteLedgerReader.Campaigns).ToDictionary(campaign => campaign.Id, StringComparer.Ordinal);
            return new(readers, new(1, campaigns, new CampaignLookups(readers)));
        }
        catch (SqliteFaultException fault)
        {
            throw new LedgerFaultException($"The ledger at {path} cannot be read: {fault.Message}", fault);
        }
        catch (LedgerFaultException)
        {
            readers?.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="ILedgerReader.ReadLog"/>
    public IReadOnlyList<LogRecord> ReadLog(long afterPosition, int max) => _readers.Read(db => SqliteLedgerReader.ReadLog(db, afterPosition, max));

    public Decision? FindDecision(string redemptionId) => _readers.Read(db => SqliteLedgerReader.FindDecision(db, redemptionId));

    /// <inheritdoc cref="ISettingsStore.Find"/>
    public string? FindSetting(string scope, string name) => _readers.Read(db => SqliteLedger.Find(db, scope, name));

    public void Dispose() => _readers.Dispose();
}
