using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger.Contract;
using Promotions.Ledger.Postgres.Storage;

namespace Promotions.Ledger.Postgres.Tests;

/// <summary>What the server, the network and other processes can do to us.</summary>
[Trait("kind", "faults")]
public sealed class PostgresFaultTests
{
    private static int Rounds(int few) => int.TryParse(Environment.GetEnvironmentVariable("PROMOTIONS_FAULT_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : few;
    private static DepositCash Deposit(string id, string customer = "ann") => new(id, Make.Admin, Make.Start, customer, "EUR", 1, null);
    private static Task<LedgerOutcome> Do(PostgresLedger ledger, LedgerCommand command) => ledger.ExecuteAsync(command, Lane.Decision, TestContext.Current.CancellationToken);

    [Fact]
    public async Task Of_thirty_redemptions_of_a_single_use_coupon_over_two_processes_one_wins()
    {
        await using var backend = new PostgresBackend();
        await using (var one = await backend.LedgerAsync(TimeProvider.System))
        await using (var two = await backend.LedgerAsync(TimeProvider.System))
        {
            Assert.True((await Do(one, new PutCampaign("put", Make.Admin, Make.Start, Make.Campaign()))).Accepted);
            for (var round = 0; round < Rounds(20); round++)
            {
                var code = "C" + round;
                Assert.True((await Do(one, new AddCoupons("add-" + code, Make.Admin, Make.Start, "spring", [new(code, null, 1)]))).Accepted);
                var coupon = two.Campaigns.FindCoupon(code)!;
                var outcomes = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Task.Run(() =>
                    Do(i % 2 == 0 ? one : two, Make.Decide(Make.Proposal($"r-{code}-{i}", "c-" + i, [Make.Use(coupon)]))))));
                Assert.Single(outcomes, o => o.Decision!.Status is RedemptionStatus.Approved);
                Assert.Equal(29, outcomes.Count(o => o.Decision!.Refusal is RefusalCode.CouponUsesExhausted));
            }
        }

        Assert.Empty(await backend.VerifyAsync());
    }

    [Fact]
    public async Task Uses_and_a_balance_that_two_processes_take_from_at_once_are_counted_right()
    {
        await using var backend = new PostgresBackend();
        await using (var one = await backend.LedgerAsync(TimeProvider.System))
        await using (var two = await backend.LedgerAsync(TimeProvider.System))
        {
            Assert.True((await Do(one, new PutCampaign("put", Make.Admin, Make.Start, Make.Campaign()))).Accepted);
            Assert.True((await Do(one, new AddCoupons("add", Make.Admin, Make.Start, "spring", [new("MANY", null, 50)]))).Accepted);
            var coupon = two.Campaigns.FindCoupon("MANY")!;
            await Do(one, Make.Decide(Make.Proposal("first", "ann", [Make.Use(coupon)])));   // the accounts exist: from here on only their locks keep the two apart
            await Do(one, Deposit("first-deposit"));
            var outcomes = new ConcurrentBag<LedgerOutcome>();
            await Task.WhenAll(Enumerable.Range(0, 80).Select(i => Task.Run(async () =>
            {
                var ledger = i % 2 == 0 ? one : two;
                outcomes.Add(await Do(ledger, Make.Decide(Make.Proposal("r-" + i, "c-" + (i % 5), [Make.Use(coupon)]))));
                await Do(ledger, Deposit("d-" + i));
            })));
            Assert.Equal(49, outcomes.Count(o => o.Decision!.Status is RedemptionStatus.Approved));
            Assert.Equal(50, two.Reader.UsageOf("spring").UsesHeld);
            Assert.Equal(81, two.Reader.BalancesOf("ann").Single().Available);
        }

        Assert.Empty(await backend.VerifyAsync());
    }

    [Fact]
    public async Task A_void_and_its_redemption_in_two_processes_at_once_never_leave_a_hold()
    {
        await using var backend = new PostgresBackend();
        await using (var one = await backend.LedgerAsync(TimeProvider.System))
        await using (var two = await backend.LedgerAsync(TimeProvider.System))
        {
            for (var round = 0; round < Rounds(30); round++)
            {
                var id = "r-" + round;
                await Task.WhenAll(
                    Task.Run(() => Do(one, Make.Decide(Make.Proposal(id, "ann", [])))),
                    Task.Run(() => Do(two, new VoidHold("v-" + id, Make.Shop, Make.Start, id, null))));
                var decision = one.Reader.FindDecision(id)!;
                Assert.True(decision.Hold is HoldState.Voided || decision.Refusal is RefusalCode.VoidedBefore, $"{id} is {decision.Status}, {decision.Hold}");
            }
        }

        Assert.Empty(await backend.VerifyAsync());
    }

    [Fact]
    public async Task The_same_id_in_two_processes_at_once_is_recorded_once()
    {
        await using var backend = new PostgresBackend();
        await using (var one = await backend.LedgerAsync(TimeProvider.System))
        await using (var two = await backend.LedgerAsync(TimeProvider.System))
        {
            for (var round = 0; round < Rounds(30); round++)
            {
                var both = await Task.WhenAll(Task.Run(() => Do(one, Deposit("d-" + round))), Task.Run(() => Do(two, Deposit("d-" + round))));
                Assert.Single(both, o => o.Repeated);
                Assert.Equal(both[0].Position, both[1].Position);
            }

            Assert.Equal(Rounds(30), one.Reader.BalancesOf("ann").Single().Available);
        }

        Assert.Empty(await backend.VerifyAsync());
    }

    [Fact]
    public async Task Connections_cut_in_the_middle_of_commits_lose_and_double_nothing()
    {
        await using var backend = new PostgresBackend();
        var cuts = 0;
        await using (var ledger = await backend.LedgerAsync(TimeProvider.System))
            await TrafficAsync(ledger, Rounds(400), async acknowledged =>
            {
                while (acknowledged() < Rounds(400))
                {
                    cuts += Convert.ToInt32(await PostgresServer.ExecuteAsync(backend.ConnectionString,
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'promotions-ledger-writer' AND datname = current_database()"), CultureInfo.InvariantCulture);
                    var before = acknowledged();
                    while (acknowledged() < Math.Min(before + 5L, Rounds(400))) await Task.Delay(1);
                }
            });

        Assert.True(cuts > 10, $"Only {cuts} connections were cut.");
        Assert.Empty(await backend.VerifyAsync());
    }

    [Fact]
    public async Task A_server_killed_under_traffic_and_started_again_has_lost_and_doubled_nothing()
    {
        Assert.SkipWhen(!PostgresServer.IsInstalled, PostgresServer.Missing);
        var server = new PostgresServer();
        await server.InitializeAsync();
        try
        {
            await using var backend = new PostgresBackend(server);
            await using (var ledger = await backend.LedgerAsync(TimeProvider.System))
                await TrafficAsync(ledger, 300, async acknowledged =>
                {
                    foreach (var at in new[] { 50, 150 })
                    {
                        while (acknowledged() < at) await Task.Delay(1);
                        await server.KillAsync();
                        await server.StartAsync();
                    }
                });

            Assert.Empty(await backend.VerifyAsync());
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    /// <summary>Deposits as records with a follow-up each, eight at a time; <paramref name="disturb"/> runs beside. A caller that is told of a fault asks again with the same id.</summary>
    private static async Task TrafficAsync(PostgresLedger ledger, int count, Func<Func<int>, Task> disturb)
    {
        var answered = new ConcurrentDictionary<int, long>();
        var next = -1;
        var ended = false;
        var disturbing = Task.Run(() => disturb(() => Volatile.Read(ref ended) ? int.MaxValue : answered.Count));
        var traffic = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var i = Interlocked.Increment(ref next); i < count; i = Interlocked.Increment(ref next))
            {
                var id = i;
                var told = 0;
                while (!answered.ContainsKey(id))
                {
                    try
                    {
                        var receipt = await ledger.CommitAsync([new("deposits", "d-" + id, new byte[] { 1 }, Make.Start, 0, Deposit("d-" + id))],
                            outcomes => outcomes[0]!.Repeated ? [] : [new("outcomes", "d-" + id, new byte[] { 2 }, Make.Start, 0, null)], TestContext.Current.CancellationToken);
                        Assert.True(receipt.Outcomes[0]!.Accepted);
                        Assert.True(told > 0 || !receipt.Outcomes[0]!.Repeated, $"d-{id} was booked and began again.");
                        answered[id] = receipt.Outcomes[0]!.Position;
                    }
                    catch (LedgerFaultException)
                    {
                        Assert.True(++told < 200, $"d-{id} is refused for ever.");
                        await Task.Delay(20);
                    }
                }
            }
        })));
        try
        {
            await traffic;
        }
        finally
        {
            Volatile.Write(ref ended, true);   // a loop that failed leaves its count unreached
            await disturbing;
        }

        Assert.Equal(count, ledger.Reader.BalancesOf("ann").Single().Available);
        for (var i = 0; i < count; i++) Assert.Equal((true, answered[i]), Both(await Do(ledger, Deposit("d-" + i))));
        var log = ledger.Reader.ReadLog(0, (count * 2) + 10);
        Assert.Equal(Enumerable.Range(0, count).Select(i => "d-" + i).Order(StringComparer.Ordinal), log.Where(r => r.Topic == "deposits").Select(r => r.Key).Order(StringComparer.Ordinal));
        Assert.Equal(Enumerable.Range(0, count).Select(i => "d-" + i).Order(StringComparer.Ordinal), log.Where(r => r.Topic == "outcomes").Select(r => r.Key).Order(StringComparer.Ordinal));

        static (bool, long) Both(LedgerOutcome outcome) => (outcome.Repeated, outcome.Position);
    }

    [Fact]
    public async Task A_value_that_the_server_refuses_is_its_callers_fault_alone()
    {
        await using var backend = new PostgresBackend();
        using var gate = new ManualResetEventSlim();
        await using (var ledger = await backend.LedgerAsync(TimeProvider.System))
        {
            var first = ledger.CommitAsync([new("t", "k", new byte[] { 1 }, Make.Start, 0, Deposit("first"))], _ => { gate.Wait(TestContext.Current.CancellationToken); return []; }, TestContext.Current.CancellationToken);
            var good = Enumerable.Range(0, 5).Select(i => Do(ledger, Deposit("d-" + i))).ToArray();
            var bad = Do(ledger, Deposit("nul\0"));
            gate.Set();
            await first;
            Assert.All(await Task.WhenAll(good), o => Assert.True(o.Accepted));
            await Assert.ThrowsAsync<LedgerFaultException>(() => bad);
            Assert.Equal(6, ledger.Reader.BalancesOf("ann").Single().Available);
        }

        Assert.Empty(await backend.VerifyAsync());
    }

    [Fact]
    public async Task Nobody_waits_for_a_writer_that_has_stopped()
    {
        await using var backend = new PostgresBackend();
        await using var ledger = await backend.LedgerAsync(TimeProvider.System);
        await Assert.ThrowsAsync<LedgerFaultException>(() => ledger.ExecuteManyAsync([Deposit("d-1")], new Throws(), TestContext.Current.CancellationToken));
        Assert.Contains("has stopped", (await Assert.ThrowsAsync<LedgerFaultException>(() => Do(ledger, Deposit("d-2")))).Message, StringComparison.Ordinal);
        Assert.Equal(1, ledger.Reader.BalancesOf("ann").Single().Available);
    }

    private sealed class Throws : IProgress<int>
    {
        public void Report(int value) => throw new InvalidOperationException("no");
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_refused_with_a_sentence()
    {
        await using var backend = new PostgresBackend();
        await (await backend.LedgerAsync(TimeProvider.System)).DisposeAsync();
        await PostgresServer.ExecuteAsync(backend.ConnectionString, "INSERT INTO promotions_ledger VALUES (99)");
        var fault = await Assert.ThrowsAsync<LedgerFaultException>(() => backend.LedgerAsync(TimeProvider.System));
        Assert.Contains("newer version of Promotions (schema 99", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_something_else_is_left_alone()
    {
        var database = await PostgresServer.Shared.NewDatabaseAsync();
        await PostgresServer.ExecuteAsync(database, "CREATE TABLE theirs (x int)");
        await Assert.ThrowsAsync<LedgerFaultException>(() => PostgresLedger.OpenAsync(new() { ConnectionString = database }, TimeProvider.System, TestContext.Current.CancellationToken));
        Assert.Equal(1L, await PostgresServer.ExecuteAsync(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"));
    }

    [Fact]
    public async Task Migrations_run_forward_once_and_a_broken_one_leaves_the_version_before()
    {
        await using var connection = new NpgsqlConnection(await PostgresServer.Shared.NewDatabaseAsync());
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await Schema.MigrateAsync(connection, TestContext.Current.CancellationToken, ["CREATE TABLE a (x int)"]);
        await Assert.ThrowsAsync<PostgresException>(() => Schema.MigrateAsync(connection, TestContext.Current.CancellationToken, ["", "CREATE TABLE b (x int); CREATE TABLE a (x int)"]));
        Assert.Equal(1, await Schema.VersionAsync(connection, TestContext.Current.CancellationToken));
        await Schema.MigrateAsync(connection, TestContext.Current.CancellationToken, ["", "CREATE TABLE b (x int)"]);
        Assert.Equal(2, await Schema.VersionAsync(connection, TestContext.Current.CancellationToken));
    }
}
