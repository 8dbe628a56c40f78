using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger.Contract;
using Promotions.Ledger.Postgres.Storage;
using Promotions.Ledger.Postgres.Verification;

namespace Promotions.Ledger.Postgres.Tests;

/// <summary>Each process of the set as its own database user, with <c>deploy/postgres/roles.sql</c>: it can do all that it does, and nothing of what others do.</summary>
public sealed class RoleTests
{
    private static readonly string[] s_roles = ["promotions_pipeline", "promotions_api", "promotions_sinks", "promotions_expiry", "promotions_reader"];
    private static int s_users;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
    private static Task<LedgerOutcome> Do(PostgresLedger ledger, LedgerCommand command) => ledger.ExecuteAsync(command, Lane.Decision, Stop);

    [Fact]
    public async Task Each_role_can_do_its_work_and_the_ledger_stays_sound()
    {
        var database = await DatabaseAsync();
        var time = new FakeTimeProvider(Make.Start.ToDateTimeOffset());
        await using var api = await OpenAsync(database, time, "promotions_api");
        await using var pipeline = await OpenAsync(database, time, "promotions_pipeline");
        await using var sinks = await OpenAsync(database, time, "promotions_sinks");
        await using var expiry = await OpenAsync(database, time, "promotions_expiry");

        // HTTP and the dashboard.
        foreach (var command in new LedgerCommand[]
        {
            new PutCampaign("put", Make.Admin, Make.Start, Make.Campaign(controlShare: 20)),
            new AddCoupons("add", Make.Admin, Make.Start, "spring", [new("A", null, 1), new("B", null, 1), new("C", null, 1)]),
            new AssignCoupon("assign", Make.Admin, Make.Start, "B", "ann"),
            new RevokeCoupon("revoke", Make.Admin, Make.Start, "C"),
            new DepositCash("deposit", Make.Admin, Make.Start, "ann", "EUR", 1_000, null),
            new GrantPoints("grant", Make.Admin, Make.Start, "ann", 100, Make.Start.Plus(TimeSpan.FromHours(1)), null),
        })
            Assert.True((await Do(api, command)).Accepted, command.Id);
        await api.PutAsync("api-keys", "key-1", "hash", Make.Admin, Stop);
        await api.PutAsync("fraud-policy", "current", "{}", Make.Admin, Stop);
        Assert.Single(api.Reader.CouponsOf("ann"));

        // Decisions and events.
        var owner = await pipeline.AcquireAsync("decide/0", Stop);
        var fetched = await pipeline.FetchAsync([new("A", "ann"), new("B", "ann")], Stop);
        Assert.Equal("{}", pipeline.Find("fraud-policy", "current"));
        var arms = new ArmAssignment[] { new("spring", 1, "ann", Arm.Treated, false, Make.Start) };
        LedgerCommand[] decided =
        [
            Make.Decide(Make.Proposal("r-1", "ann", [Make.Use(fetched.FindCoupon("A")!), Make.Pay(RedeemableType.Points, 50), Make.Pay(RedeemableType.Cash, 10)], arms: arms)),
            Make.Decide(Make.Proposal("r-2", "ann", [Make.Use(fetched.FindCoupon("B")!)], RedemptionStatus.Review)),
            Make.Decide(Make.Proposal("r-3", "ann", [Make.Pay(RedeemableType.Cash, 10)])),
            Make.Decide(Make.Proposal("r-4", "ann", [Make.Pay(RedeemableType.Points, 10)])),
            new CaptureHold("capture", Make.Shop, Make.Start, "r-1"),
            new VoidHold("void", Make.Shop, Make.Start, "r-3", null),
            new VoidHold("void-before", Make.Shop, Make.Start, "r-9", null),
            new RecordLabel(Make.Admin, new("label", "r-2", true, "review", null, "ada", Make.Start, new("", null, null, null, [], null, null))),
            new RecordOrder(Make.Shop, new("o-1", "web-de", "key-1", new("ann", null), Make.Request("x", "ann", []).Cart, 500, null, Make.Start, null, new byte[32]), 5, null),
            new RecordReturn(Make.Shop, new("ret-1", "o-1", "ann", 100, Make.Start, new byte[32])),
        ];
        var receipt = await pipeline.CommitAsync(owner, [.. decided.Select(c => new LogAppend("t", c.Id, new byte[] { 1 }, Make.Start, 0, c))], _ => [], Stop);
        Assert.All(receipt.Outcomes, o => Assert.True(o!.Accepted, o.ToString()));
        Assert.NotNull(pipeline.Reader.FindDecision("r-1"));

        // A follower with its cursor, in a process that may not sequence: others have to.
        await WaitForPlacesAsync(api);
        var events = sinks.Reader.ReadOutbox(0, 100);
        Assert.Equal(pipeline.Reader.LastOutboxPosition, events[^1].Position);
        await using (var lease = await sinks.LeaseAsync("clickhouse", "sinks", Stop))
        {
            await lease.Settings.PutAsync("clickhouse-sink", "position", events[^1].Position.ToString(CultureInfo.InvariantCulture), Actor.System, Stop);
            Assert.NotNull(lease.Settings.Find("clickhouse-sink", "position"));
            Assert.Null(sinks.Find("api-keys", "key-1"));
            Assert.Equal("{}", sinks.Find("fraud-policy", "current"));
            await Assert.ThrowsAsync<LedgerFaultException>(() => sinks.PutAsync("api-keys", "key-2", "mine", Actor.System, Stop));
        }

        // Time passes.
        time.Advance(TimeSpan.FromHours(2));
        await using (await expiry.LeaseAsync("expiry", "expiry", Stop))
            Assert.Equal("2", (await expiry.ExecuteAsync(new ExpireDue("expire", Actor.System, EventTime.Now(time), 50), Lane.Bulk, Stop)).Detail);   // the hold r-4 and the points' lot
        Assert.Equal(0, api.Reader.BalancesOf("ann").Single(b => b.Segment == "points").Held);

        Assert.Null(sinks.SequencerFault);
        Assert.Null(expiry.SequencerFault);
        Assert.Equal(0, (await WaitForPlacesAsync(api)).Unsequenced);
        Assert.Empty((await PostgresVerifier.VerifyAsync(await UserAsync(database, "promotions_reader"), null, Stop)).Findings);
    }

    private static async Task<LedgerLag> WaitForPlacesAsync(PostgresLedger ledger)
    {
        LedgerLag lag;
        while ((lag = ledger.Lag()).Unsequenced > 0) await Task.Delay(5, Stop);
        return lag;
    }

    [Fact]
    public async Task Nobody_changes_or_deletes_what_is_recorded_and_no_role_does_anothers_work()
    {
        var database = await DatabaseAsync();
        var done = new List<string>();
        foreach (var role in s_roles)
        {
            var user = await UserAsync(database, role);
            foreach (var sql in Forbidden(role))
            {
                try
                {
                    await PostgresServer.ExecuteAsync(user, sql);
                    done.Add($"{role}: {sql}");
                }
                catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
                {
                    // As it should be.
                }
            }
        }

        Assert.Empty(done);
    }

    private static IEnumerable<string> Forbidden(string role)
    {
        foreach (var table in new[] { "entry", "decision", "posting", "lot_move", "outbox", "leaf", "tree", "checkpoint", "label", "arm", "campaign", "promotions_ledger" })
        {
            var column = table switch { "entry" => "value", "decision" => "document", "posting" or "lot_move" => "amount", "outbox" => "payload", "leaf" => "entry", "tree" => "hash", "checkpoint" => "note", "label" => "abuse", "arm" => "arm", "campaign" => "document", _ => "version" };
            yield return $"UPDATE {table} SET {column} = {column}";
            yield return $"DELETE FROM {table}";
        }

        foreach (var table in new[] { "account", "hold", "lot", "command", "head", "flag", "purchase", "coupon", "partition_epoch", "lease" }) yield return $"DELETE FROM {table}";
        yield return "TRUNCATE entry";
        yield return "UPDATE account SET owner = owner";
        yield return "UPDATE coupon SET uses_max = 1000";
        yield return "CREATE TABLE mine (x int)";
        yield return "ALTER TABLE entry ADD COLUMN x int";
        yield return "DROP TABLE entry";
        if (role is "promotions_sinks" or "promotions_reader")
        {
            foreach (var table in new[] { "entry", "posting", "account", "decision", "hold", "lot", "lot_move", "outbox", "pending", "leaf", "campaign", "coupon" }) yield return $"INSERT INTO {table} DEFAULT VALUES";
            yield return "UPDATE account SET free = free + 1";
            yield return "UPDATE hold SET state = state";
            yield return "UPDATE head SET size = 0";
            yield return "DELETE FROM pending";
        }

        if (role is "promotions_expiry")
        {
            foreach (var table in new[] { "decision", "hold", "lot", "campaign", "coupon", "leaf" }) yield return $"INSERT INTO {table} DEFAULT VALUES";
        }

        if (role is "promotions_pipeline")
        {
            yield return "INSERT INTO campaign DEFAULT VALUES";
            yield return "INSERT INTO coupon DEFAULT VALUES";
            yield return "UPDATE coupon SET revoked = false";
        }

        if (role is not ("promotions_api" or "promotions_sinks"))
        {
            yield return "INSERT INTO setting VALUES ('api-keys', 'mine', 'x')";
            yield return "UPDATE setting SET value = value";
        }

        if (role is not "promotions_api") yield return role is "promotions_sinks" ? "INSERT INTO setting VALUES ('api-keys', 'mine', 'x')" : "DELETE FROM setting";
        if (role is "promotions_reader") yield return "SELECT * FROM setting";
    }

    [Fact]
    public async Task A_process_that_may_not_migrate_says_so_before_an_older_schema()
    {
        var database = await DatabaseAsync(migrate: false);
        var user = await UserAsync(database, null);
        var fault = await Assert.ThrowsAsync<LedgerFaultException>(() => PostgresLedger.OpenAsync(new() { ConnectionString = user }, TimeProvider.System, Stop));
        Assert.Contains($"The database's schema is 0, this build needs {Schema.Current}, and user ", fault.Message, StringComparison.Ordinal);
        Assert.Contains("promotions migrate", fault.Message, StringComparison.Ordinal);
        Assert.Equal(Schema.Current, await PostgresLedger.MigrateAsync(database, Stop));
        fault = await Assert.ThrowsAsync<LedgerFaultException>(() => PostgresLedger.OpenAsync(new() { ConnectionString = user }, TimeProvider.System, Stop));
        Assert.Contains("roles.sql", fault.Message, StringComparison.Ordinal);   // the tables are there, and this user was given nothing
        fault = await Assert.ThrowsAsync<LedgerFaultException>(() => PostgresLedger.GrantAsync(user, Stop));
        Assert.Contains("rights were not changed", fault.Message, StringComparison.Ordinal);
    }

    private static async Task<string> DatabaseAsync(bool migrate = true)
    {
        var database = await PostgresServer.Shared.NewDatabaseAsync();
        if (!migrate) return database;
        await PostgresLedger.MigrateAsync(database, Stop);
        for (var n = 0; n < 2; n++) await PostgresLedger.GrantAsync(database, Stop);   // it may be run again
        return database;
    }

    /// <summary>A user in the role, as an operator makes it.</summary>
    private static async Task<string> UserAsync(string database, string? role)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"user_{Interlocked.Increment(ref s_users)}");
        await PostgresServer.ExecuteAsync(database, $"CREATE ROLE {name} LOGIN" + (role is null ? "" : " IN ROLE " + role));
        return new NpgsqlConnectionStringBuilder(database) { Username = name }.ConnectionString;
    }

    private static async Task<PostgresLedger> OpenAsync(string database, TimeProvider time, string role) =>
        await PostgresLedger.OpenAsync(new() { ConnectionString = await UserAsync(database, role) }, time, Stop);
}
