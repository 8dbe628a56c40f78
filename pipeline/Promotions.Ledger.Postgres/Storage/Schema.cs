using System.Globalization;
using Npgsql;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>The tables, as a list of forward steps: step n leads from version n − 1 to n and is never changed once released.</summary>
/// <remarks>An entry's <c>id</c> is its number: given by the process that writes it, unique, with gaps. Its place in the log and the audit tree is given later, by the
/// sequencer, as a row of <c>leaf</c>; until then it stands in <c>pending</c>.</remarks>
internal static class Schema
{
    /// <summary>Only one process migrates at a time.</summary>
    private const long MigrationLock = 0x50524C47;

    public static int Current => Steps.Length;

    private static readonly string[] Steps =
    [
        """
        CREATE TABLE entry (
            id bigint PRIMARY KEY CHECK (id > 0), recorded_at bigint NOT NULL, kind smallint NOT NULL, command_id text NOT NULL, actor_kind text NOT NULL, actor_id text NOT NULL,
            channel text, api_key_id text, content bytea NOT NULL, topic text, key text NOT NULL, value bytea NOT NULL, at bigint NOT NULL,
            state_hash bigint NOT NULL, refusal smallint NOT NULL, detail text, leaf bytea NOT NULL CHECK (length(leaf) = 32));
        CREATE TABLE command (id text COLLATE "C" PRIMARY KEY, entry bigint, voided_by bigint, CHECK (entry IS NOT NULL OR voided_by IS NOT NULL));
        CREATE TABLE decision (
            entry bigint PRIMARY KEY, redemption_id text NOT NULL, customer text COLLATE "C" NOT NULL, status smallint NOT NULL CHECK (status BETWEEN 1 AND 4),
            refusal smallint NOT NULL, decided_at bigint NOT NULL, hold_expires_at bigint, model_hash text NOT NULL, document bytea NOT NULL, vector bytea NOT NULL);
        CREATE INDEX decision_of_customer ON decision (customer, entry);
        CREATE TABLE hold (
            entry bigint PRIMARY KEY, state smallint NOT NULL CHECK (state BETWEEN 1 AND 4), expires_at bigint NOT NULL,
            resolved_by bigint, CHECK ((state = 1) = (resolved_by IS NULL)));
        CREATE INDEX hold_due ON hold (expires_at) WHERE state = 1;
        CREATE TABLE account (
            id bigint PRIMARY KEY, kind smallint NOT NULL, owner text COLLATE "C" NOT NULL, member text COLLATE "C" NOT NULL, unit text COLLATE "C" NOT NULL,
            free bigint NOT NULL, held bigint NOT NULL CHECK (held >= 0), used bigint NOT NULL CHECK (used >= 0), CHECK (kind < 10 OR free >= 0)) WITH (fillfactor = 70);
        CREATE UNIQUE INDEX account_by_key ON account (owner, member, kind, unit);
        CREATE TABLE posting (
            entry bigint NOT NULL, line int NOT NULL, debit bigint NOT NULL, credit bigint NOT NULL, amount bigint NOT NULL CHECK (amount > 0), CHECK (debit <> credit),
            PRIMARY KEY (entry, line));
        CREATE TABLE lot (
            id bigint PRIMARY KEY, account bigint NOT NULL, quantity bigint NOT NULL CHECK (quantity > 0),
            remaining bigint NOT NULL CHECK (remaining >= 0), held bigint NOT NULL CHECK (held >= 0),
            spent bigint NOT NULL CHECK (spent >= 0), expired bigint NOT NULL CHECK (expired >= 0),
            earned_at bigint NOT NULL, expires_at bigint, origin text NOT NULL, CHECK (quantity = remaining + held + spent + expired));
        CREATE INDEX lot_open ON lot (account) WHERE remaining > 0 OR held > 0;
        CREATE INDEX lot_due ON lot (expires_at, id) WHERE remaining > 0 AND expires_at IS NOT NULL;
        CREATE TABLE lot_move (
            entry bigint NOT NULL, line int NOT NULL, lot bigint NOT NULL, kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 5), amount bigint NOT NULL CHECK (amount > 0),
            PRIMARY KEY (entry, line));
        CREATE TABLE coupon (
            code text COLLATE "C" PRIMARY KEY, campaign text COLLATE "C" NOT NULL, customer text COLLATE "C", uses_max bigint CHECK (uses_max > 0), revoked boolean NOT NULL,
            created_at bigint NOT NULL);
        CREATE INDEX coupon_of_customer ON coupon (customer, code) WHERE customer IS NOT NULL;
        CREATE INDEX coupon_of_campaign ON coupon (campaign, code);
        CREATE TABLE campaign (id text COLLATE "C" NOT NULL, version int NOT NULL, document text NOT NULL, entry bigint NOT NULL, PRIMARY KEY (id, version));
        CREATE TABLE arm (
            campaign text COLLATE "C" NOT NULL, customer text COLLATE "C" NOT NULL, arm smallint NOT NULL CHECK (arm IN (1, 2)), version int NOT NULL, entry bigint NOT NULL,
            PRIMARY KEY (campaign, customer));
        CREATE TABLE flag (entry bigint PRIMARY KEY, answer boolean, answered_by text, answered_at bigint);
        CREATE INDEX flag_open ON flag (entry) WHERE answer IS NULL;
        CREATE TABLE label (
            entry bigint PRIMARY KEY, redemption_id text NOT NULL, abuse boolean NOT NULL, source text NOT NULL, note text, actor text NOT NULL, at bigint NOT NULL);
        CREATE TABLE purchase (
            entry bigint PRIMARY KEY, customer text NOT NULL, currency text NOT NULL, total bigint NOT NULL CHECK (total >= 0),
            returned bigint NOT NULL CHECK (returned BETWEEN 0 AND total));
        CREATE TABLE outbox (
            entry bigint NOT NULL, line int NOT NULL, at bigint NOT NULL, type text NOT NULL, key text NOT NULL, payload bytea NOT NULL, PRIMARY KEY (entry, line));
        CREATE TABLE setting (scope text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL, value text NOT NULL, PRIMARY KEY (scope, name));

        CREATE TABLE pending (entry bigint PRIMARY KEY, told int NOT NULL, logged boolean NOT NULL, since timestamptz NOT NULL DEFAULT clock_timestamp());
        CREATE TABLE leaf (
            position bigint PRIMARY KEY CHECK (position > 0), entry bigint NOT NULL UNIQUE, at bigint NOT NULL, outbox_before bigint NOT NULL, outbox_through bigint NOT NULL,
            CHECK (outbox_through >= outbox_before));
        CREATE INDEX leaf_of_outbox ON leaf (outbox_through) WHERE outbox_through > outbox_before;
        CREATE TABLE tree (level int NOT NULL, idx bigint NOT NULL, hash bytea NOT NULL CHECK (length(hash) = 32), PRIMARY KEY (level, idx));
        CREATE TABLE checkpoint (size bigint PRIMARY KEY, at bigint NOT NULL, root bytea NOT NULL CHECK (length(root) = 32), note text NOT NULL);
        CREATE TABLE head (
            one boolean PRIMARY KEY DEFAULT true CHECK (one), size bigint NOT NULL, edge bytea NOT NULL, outbox bigint NOT NULL, logged bigint NOT NULL,
            signed_at bigint, signed_size bigint NOT NULL);
        INSERT INTO head VALUES (true, 0, '', 0, 0, NULL, 0);
        CREATE SEQUENCE entry_block MINVALUE 0 START 0;
        CREATE SEQUENCE account_block MINVALUE 0 START 0;
        CREATE SEQUENCE lot_block MINVALUE 0 START 0;
        CREATE SEQUENCE writer MINVALUE 0 START 0;
        """,
        """
        CREATE TABLE partition_epoch (task text COLLATE "C" PRIMARY KEY, epoch bigint NOT NULL CHECK (epoch > 0), raised_at timestamptz NOT NULL DEFAULT clock_timestamp());
        """,
        """
        CREATE TABLE lease (name text COLLATE "C" PRIMARY KEY, holder text NOT NULL, epoch bigint NOT NULL CHECK (epoch > 0), until timestamptz NOT NULL);
        """,
        """
        CREATE SEQUENCE pending_order;
        ALTER TABLE pending ADD COLUMN ord bigint NOT NULL DEFAULT nextval('pending_order');
        CREATE INDEX pending_in_order ON pending (ord);
        """,
        """
        DROP INDEX IF EXISTS pending_in_order;
        ALTER TABLE pending ADD COLUMN IF NOT EXISTS leaf bytea;
        UPDATE pending p SET leaf = e.leaf FROM entry e WHERE e.id = p.entry;
        ALTER TABLE pending ALTER COLUMN leaf SET NOT NULL, DROP CONSTRAINT pending_pkey, ADD PRIMARY KEY (ord);
        """,
        """
        CREATE INDEX label_of_redemption ON label (redemption_id, entry);
        CREATE INDEX flag_answered ON flag (answered_at) WHERE answered_at IS NOT NULL;
        CREATE INDEX purchase_of_customer ON purchase (customer, entry);
        """,
    ];

    /// <summary>Brings the database to this build's version, all steps in one transaction.</summary>
    /// <exception cref="LedgerFaultException">The database is of a newer version, or holds tables of something else.</exception>
    /// <remarks>A database that has this version already is left alone: no rights are needed beyond reading the version.</remarks>
    public static async Task MigrateAsync(NpgsqlConnection connection, CancellationToken cancellationToken, IReadOnlyList<string>? steps = null)
    {
        steps ??= Steps;
        var before = 0;
        try
        {
            before = await VersionAsync(connection, cancellationToken).ConfigureAwait(false);
            if (before != steps.Count) await MigrateAsync(connection, steps, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new LedgerFaultException(
                $"The database's schema is {before}, this build needs {steps.Count}, and user {connection.UserName} may not change it ({refused.MessageText}). Run 'promotions migrate' as the database's owner, then deploy/postgres/roles.sql.", refused);
        }
    }

    private static async Task MigrateAsync(NpgsqlConnection connection, IReadOnlyList<string> steps, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await RunAsync(connection, string.Create(CultureInfo.InvariantCulture, $"SELECT pg_advisory_xact_lock({MigrationLock})"), cancellationToken).ConfigureAwait(false);
        var version = await VersionAsync(connection, cancellationToken).ConfigureAwait(false);
        if (version > steps.Count)
            throw new LedgerFaultException($"The database was written by a newer version of Promotions (schema {version}, this build knows {steps.Count}). Start that version, or restore a backup made by this one.");
        if (version == 0)
        {
            if (await ScalarAsync(connection, "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()", cancellationToken).ConfigureAwait(false) > 0)
                throw new LedgerFaultException("The database holds tables of something else. Name an empty one.");
            await RunAsync(connection, "CREATE TABLE promotions_ledger (version int PRIMARY KEY)", cancellationToken).ConfigureAwait(false);
        }

        for (; version < steps.Count; version++)
        {
            await RunAsync(connection, steps[version], cancellationToken).ConfigureAwait(false);
            await RunAsync(connection, string.Create(CultureInfo.InvariantCulture, $"INSERT INTO promotions_ledger VALUES ({version + 1})"), cancellationToken).ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>0 for a database without a ledger.</summary>
    public static async Task<int> VersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await ScalarAsync(connection, "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'promotions_ledger'", cancellationToken).ConfigureAwait(false) == 0
            ? 0
            : checked((int)await ScalarAsync(connection, "SELECT coalesce(max(version), 0)::bigint FROM promotions_ledger", cancellationToken).ConfigureAwait(false));

    /// <summary>Whether this session may give entries their places.</summary>
    public static async Task<bool> MaySequenceAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await ScalarAsync(connection, "SELECT (has_column_privilege('head', 'size', 'UPDATE') AND has_table_privilege('leaf', 'INSERT'))::int::bigint", cancellationToken).ConfigureAwait(false) > 0;

    private static async Task<long> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
