using System.Globalization;

namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>The tables, as a list of forward steps: step n leads from version n − 1 to n and is never changed once released.</summary>
internal static class Schema
{
    /// <summary>SQLite's header field that tells our files from others: "PRLG".</summary>
    private const int ApplicationId = 0x50524C47;

    public static int Current => Steps.Length;

    private static readonly string[] Steps =
    [
        """
        CREATE TABLE entry (
            position INTEGER PRIMARY KEY CHECK (position > 0),
            recorded_at INTEGER NOT NULL, kind INTEGER NOT NULL, command_id TEXT NOT NULL, actor_kind TEXT NOT NULL, actor_id TEXT NOT NULL,
            channel TEXT, api_key_id TEXT, content BLOB NOT NULL, topic TEXT, key TEXT NOT NULL, value BLOB NOT NULL, at INTEGER NOT NULL,
            state_hash INTEGER NOT NULL, refusal INTEGER NOT NULL, detail TEXT, leaf BLOB NOT NULL CHECK (length(leaf) = 32)) STRICT;
        CREATE TABLE command (id TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE decision (
            position INTEGER PRIMARY KEY, redemption_id TEXT NOT NULL, customer TEXT NOT NULL, status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 4),
            refusal INTEGER NOT NULL, decided_at INTEGER NOT NULL, hold_expires_at INTEGER, model_hash TEXT NOT NULL, document BLOB NOT NULL, vector BLOB NOT NULL) STRICT;
        CREATE INDEX decision_of_customer ON decision (customer, position);
        CREATE TABLE hold (
            position INTEGER PRIMARY KEY, state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4), expires_at INTEGER NOT NULL,
            resolved_by INTEGER, CHECK ((state = 1) = (resolved_by IS NULL))) STRICT;
        CREATE INDEX hold_due ON hold (expires_at) WHERE state = 1;
        CREATE TABLE account (
            id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, owner TEXT NOT NULL, member TEXT NOT NULL, unit TEXT NOT NULL,
            free INTEGER NOT NULL, held INTEGER NOT NULL CHECK (held >= 0), used INTEGER NOT NULL CHECK (used >= 0), CHECK (kind < 10 OR free >= 0)) STRICT;
        CREATE UNIQUE INDEX account_by_key ON account (owner, member, kind, unit);
        CREATE TABLE posting (
            id INTEGER PRIMARY KEY, debit INTEGER NOT NULL, credit INTEGER NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0), CHECK (debit <> credit)) STRICT;
        CREATE TABLE lot (
            id INTEGER PRIMARY KEY, account INTEGER NOT NULL, quantity INTEGER NOT NULL CHECK (quantity > 0),
            remaining INTEGER NOT NULL CHECK (remaining >= 0), held INTEGER NOT NULL CHECK (held >= 0),
            spent INTEGER NOT NULL CHECK (spent >= 0), expired INTEGER NOT NULL CHECK (expired >= 0),
            earned_at INTEGER NOT NULL, expires_at INTEGER, origin TEXT NOT NULL, CHECK (quantity = remaining + held + spent + expired)) STRICT;
        CREATE INDEX lot_open ON lot (account) WHERE remaining + held > 0;
        CREATE INDEX lot_due ON lot (expires_at, id) WHERE remaining > 0 AND expires_at IS NOT NULL;
        CREATE TABLE lot_move (
            id INTEGER PRIMARY KEY, lot INTEGER NOT NULL, kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 5), amount INTEGER NOT NULL CHECK (amount > 0)) STRICT;
        CREATE TABLE coupon (
            code TEXT PRIMARY KEY, campaign TEXT NOT NULL, customer TEXT, uses_max INTEGER CHECK (uses_max > 0), revoked INTEGER NOT NULL CHECK (revoked IN (0, 1)),
            created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE INDEX coupon_of_customer ON coupon (customer, code) WHERE customer IS NOT NULL;
        CREATE INDEX coupon_of_campaign ON coupon (campaign, code);
        CREATE TABLE campaign (id TEXT NOT NULL, version INTEGER NOT NULL, document TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (id, version)) STRICT, WITHOUT ROWID;
        CREATE TABLE arm (
            campaign TEXT NOT NULL, customer TEXT NOT NULL, arm INTEGER NOT NULL CHECK (arm IN (1, 2)), version INTEGER NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (campaign, customer)) STRICT, WITHOUT ROWID;
        CREATE TABLE flag (position INTEGER PRIMARY KEY, answer INTEGER CHECK (answer IN (0, 1)), answered_by TEXT, answered_at INTEGER) STRICT;
        CREATE INDEX flag_open ON flag (position) WHERE answer IS NULL;
        CREATE TABLE label (
            position INTEGER PRIMARY KEY, redemption_id TEXT NOT NULL, abuse INTEGER NOT NULL CHECK (abuse IN (0, 1)), source TEXT NOT NULL, note TEXT,
            actor TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
        CREATE TABLE voided_before (redemption_id TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE purchase (
            position INTEGER PRIMARY KEY, customer TEXT NOT NULL, currency TEXT NOT NULL, total INTEGER NOT NULL CHECK (total >= 0),
            returned INTEGER NOT NULL CHECK (returned BETWEEN 0 AND total)) STRICT;
        CREATE TABLE outbox (
            position INTEGER PRIMARY KEY CHECK (position > 0), entry INTEGER NOT NULL, at INTEGER NOT NULL, type TEXT NOT NULL, key TEXT NOT NULL,
            payload BLOB NOT NULL) STRICT;
        CREATE TABLE setting (scope TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (scope, name)) STRICT, WITHOUT ROWID;
        CREATE TABLE tree (level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32), PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID;
        CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, at INTEGER NOT NULL, root BLOB NOT NULL CHECK (length(root) = 32), note TEXT NOT NULL) STRICT;
        """,
        """
        CREATE INDEX label_of_redemption ON label (redemption_id, position);
        CREATE INDEX flag_answered ON flag (answered_at) WHERE answered_at IS NOT NULL;
        CREATE INDEX purchase_of_customer ON purchase (customer, position);
        """,
    ];

    /// <summary>Brings the file to this build's version, each step in a transaction of its own.</summary>
    /// <exception cref="LedgerFaultException">The file is of a newer version, or not ours.</exception>
    public static void Migrate(Db db, string path, IReadOnlyList<string>? steps = null)
    {
        steps ??= Steps;
        var version = (int)db.Scalar("PRAGMA user_version");
        var application = (int)db.Scalar("PRAGMA application_id");
        if (version > steps.Count)
            throw new LedgerFaultException($"{path} was written by a newer version of Promotions (schema {version}, this build knows {steps.Count}). Start that version, or restore a backup made by this one.");
        if (application != ApplicationId && (version != 0 || application != 0 || db.Scalar("SELECT count(*) FROM sqlite_schema") != 0))
            throw new LedgerFaultException($"{path} is a database of something else. Name another file.");
        for (; version < steps.Count; version++)
        {
            db.Execute("BEGIN IMMEDIATE");
            try
            {
                db.Execute(steps[version]);
                db.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}"));
                db.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {version + 1}"));
                db.Execute("COMMIT");
            }
            catch (SqliteFaultException)
            {
                if (db.InTransaction) db.Execute("ROLLBACK");
                throw;
            }
        }
    }
}
