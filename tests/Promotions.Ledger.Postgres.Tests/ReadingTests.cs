using System.Collections.Concurrent;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger.Audit;
using Promotions.Ledger.Contract;

namespace Promotions.Ledger.Postgres.Tests;

/// <summary>What others read of the ledger: proofs, a batch's coupons, its lag.</summary>
public sealed class ReadingTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;
    private static Task<LedgerOutcome> Do(PostgresLedger ledger, LedgerCommand command) => ledger.ExecuteAsync(command, Lane.Decision, Stop);
    private static ArmAssignment Assigned(string customer, Arm arm) => new("spring", 1, customer, arm, false, Make.Start);
    private static DepositCash Deposit(string id) => new(id, Make.Admin, Make.Start, "ann", "EUR", 1, null);

    [Fact]
    public async Task Every_entry_is_proved_to_be_in_the_signed_tree_and_a_later_tree_to_continue_it()
    {
        await using var backend = new PostgresBackend();
        await using var one = await backend.LedgerAsync(TimeProvider.System);
        await using var two = await backend.LedgerAsync(TimeProvider.System);
        var positions = new List<long>();
        for (var i = 0; i < 40; i++) positions.Add((await Do(i % 3 == 0 ? two : one, Deposit("d-" + i))).Position);
        var many = await one.ExecuteManyAsync([.. Enumerable.Range(0, 600).Select(i => Deposit("m-" + i))], null, Stop);
        positions.AddRange(many.Select(o => o.Position));
        Assert.Null(one.Audit.PlaceOf(positions.Max() + 1));
        var places = positions.Select(p => one.Audit.PlaceOf(p)!.Value).ToArray();
        Assert.Equal(Enumerable.Range(1, 640).Select(p => (long)p), places.Order());
        var size = one.Audit.Size;
        Assert.Equal(640, size);
        var root = one.Audit.Root(size);
        foreach (var place in places.Where(p => p % 37 == 0))
            Assert.True(MerkleVerifier.VerifyInclusion((ulong)place - 1, (ulong)size, one.Audit.LeafHash(place), one.Audit.ProveInclusion(place, size), root));
        Assert.False(MerkleVerifier.VerifyInclusion(4, (ulong)size, one.Audit.LeafHash(6), one.Audit.ProveInclusion(5, size), root));
        var note = two.Audit.LatestCheckpoint()!;
        var signed = SignedCheckpoint.Verify(note, two.Audit.Origin, two.Audit.PublicKey!)!;
        Assert.True(MerkleVerifier.VerifyConsistency((ulong)signed.Size, (ulong)size, signed.Root, root, one.Audit.ProveConsistency(signed.Size, size)));
    }

    [Fact]
    public async Task A_batch_sees_its_coupons_and_arms_as_they_were_fetched_and_asks_for_others()
    {
        await using var backend = new PostgresBackend();
        await using var ledger = await backend.LedgerAsync(TimeProvider.System);
        await Do(ledger, new PutCampaign("put", Make.Admin, Make.Start, Make.Campaign() with { ControlShare = 20 }));
        await Do(ledger, new AddCoupons("add", Make.Admin, Make.Start, "spring", [new("A", null, 1), new("B", null, 1)]));
        await Do(ledger, new LogTrigger("t-1", Make.Shop, Make.Start, [Assigned("ann", Arm.Control)]));
        var fetched = await ledger.FetchAsync([new("A", "ann"), new("LATER", "bob"), new("A", "bob"), new("A", "ann"), new("spring", "ann")], Stop);
        await Do(ledger, new RevokeCoupon("revoke-a", Make.Admin, Make.Start, "A"));
        await Do(ledger, new RevokeCoupon("revoke-b", Make.Admin, Make.Start, "B"));
        await Do(ledger, new AddCoupons("add-2", Make.Admin, Make.Start, "spring", [new("LATER", null, 1)]));
        await Do(ledger, new LogTrigger("t-2", Make.Shop, Make.Start, [Assigned("bob", Arm.Treated), Assigned("cid", Arm.Treated)]));
        Assert.False(fetched.FindCoupon("A")!.Revoked);
        Assert.True(fetched.FindCoupon("B")!.Revoked);
        Assert.Null(fetched.FindCoupon("LATER"));
        Assert.Equal((Arm.Control, Arm.None, Arm.Treated), (fetched.FindArm("spring", "ann"), fetched.FindArm("spring", "bob"), fetched.FindArm("spring", "cid")));
        var now = ledger.Campaigns;
        Assert.Equal((true, false, Arm.Treated), (now.FindCoupon("A")!.Revoked, now.FindCoupon("LATER")!.Revoked, now.FindArm("spring", "bob")));
        Assert.Same(now.FindCampaign("spring"), fetched.FindCampaign("spring"));
    }

    [Fact]
    public async Task A_decision_refused_as_stale_is_priced_again_on_the_version_that_refused_it()
    {
        await using var backend = new PostgresBackend { SequenceEvery = TimeSpan.FromHours(1) };   // nothing else brings the news
        await using var one = await backend.LedgerAsync(TimeProvider.System);
        await using var two = await backend.LedgerAsync(TimeProvider.System);
        await Do(one, new PutCampaign("put", Make.Admin, Make.Start, Make.Campaign()));
        await Do(one, new AddCoupons("add", Make.Admin, Make.Start, "spring", [new("A", null, 9)]));
        var coupon = two.Campaigns.FindCoupon("A")!;
        Assert.Equal(LedgerRefusal.StaleCampaign, (await Do(two, Make.Decide(Make.Proposal("r-0", "ann", [Make.Use(coupon, version: 7)])))).Refusal);
        Assert.Equal(1, two.Campaigns.FindCampaign("spring")!.Version);
        Assert.True((await Do(one, new PutCampaign("put-2", Make.Admin, Make.Start, Make.Campaign() with { Version = 2 }))).Accepted);
        Assert.Equal(LedgerRefusal.StaleCampaign, (await Do(two, Make.Decide(Make.Proposal("r-1", "ann", [Make.Use(coupon)])))).Refusal);
        Assert.Equal(2, two.Campaigns.FindCampaign("spring")!.Version);
        Assert.Equal((1, 2), (two.Reader.FindCampaign("spring", 1)!.Version, two.Reader.FindCampaign("spring", 2)!.Version));
        Assert.Null(two.Reader.FindCampaign("spring", 3));
    }

    [Fact]
    public async Task Entries_without_a_place_are_counted_and_their_age_is_told_until_another_process_places_them()
    {
        await using var backend = new PostgresBackend();
        await using var ledger = await backend.LedgerAsync(TimeProvider.System);
        await using var connection = new Npgsql.NpgsqlConnection(backend.ConnectionString);
        await connection.OpenAsync(Stop);
        await using (var stopped = await connection.BeginTransactionAsync(Stop))   // a sequencer stopped in the middle of its step
        {
            await using (var step = new Npgsql.NpgsqlCommand("SELECT size FROM head FOR UPDATE", connection)) await step.ExecuteScalarAsync(Stop);
            for (var i = 0; i < 3; i++) Assert.True((await Do(ledger, Deposit("d-" + i))).Accepted);   // decisions go on
            var lag = ledger.Lag();
            Assert.Equal((3L, null), (lag.Unsequenced, lag.Fault));
            Assert.True(lag.Oldest > TimeSpan.Zero);
            Assert.Empty(ledger.Reader.ReadOutbox(0, 10));
        }

        while (ledger.Lag().Unsequenced > 0) await Task.Delay(5, Stop);
        Assert.Equal(TimeSpan.Zero, ledger.Lag().Oldest);
        Assert.Equal(3, ledger.Reader.ReadOutbox(0, 10).Count);
    }

    [Fact]
    public async Task A_process_stopped_inside_a_step_loses_it_and_another_gives_the_places()
    {
        await using var backend = new PostgresBackend();
        await using (var ledger = await backend.LedgerAsync(TimeProvider.System))
        {
            await using var connection = new Npgsql.NpgsqlConnection(backend.ConnectionString + ";Pooling=false");
            await connection.OpenAsync(Stop);
            await using (var begin = new Npgsql.NpgsqlCommand("BEGIN", connection)) await begin.ExecuteNonQueryAsync(Stop);
            await using (var step = new Npgsql.NpgsqlCommand(Storage.Sequencer.LockHead, connection))
                Assert.NotNull(await step.ExecuteScalarAsync(Stop));   // and from here on this process stands still
            await Do(ledger, Deposit("d-1"));
            Assert.Equal(1, ledger.Lag().Unsequenced);
            while (ledger.Lag().Unsequenced > 0) await Task.Delay(5, Stop);
            await using var wake = new Npgsql.NpgsqlCommand("UPDATE head SET size = 100", connection);
            await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() => wake.ExecuteNonQueryAsync(Stop));
        }

        Assert.Empty(await backend.VerifyAsync());
    }

    [Fact]
    public async Task Followers_hear_of_a_cause_before_its_effect_whichever_process_wrote_them()
    {
        await using var backend = new PostgresBackend();
        await using var low = await backend.LedgerAsync(TimeProvider.System);
        await using var high = await backend.LedgerAsync(TimeProvider.System);
        var first = await Do(low, Deposit("low"));   // takes its block of numbers before the other
        await Do(high, Deposit("high"));
        var seen = high.Reader.LastOutboxPosition;
        await using (var connection = new Npgsql.NpgsqlConnection(backend.ConnectionString))
        {
            await connection.OpenAsync(Stop);
            await using var held = await connection.BeginTransactionAsync(Stop);   // so that one step places both
            await using (var step = new Npgsql.NpgsqlCommand("SELECT size FROM head FOR UPDATE", connection)) await step.ExecuteScalarAsync(Stop);
            var decided = await Do(high, Make.Decide(Make.Proposal("r-1", "ann", [Make.Pay(RedeemableType.Cash, 1)])));
            var captured = await Do(low, new CaptureHold("c-1", Make.Shop, Make.Start, "r-1"));
            Assert.True(first.Position < captured.Position && captured.Position < decided.Position);
            await held.RollbackAsync(Stop);
        }

        while (low.Lag().Unsequenced > 0) await Task.Delay(5, Stop);
        var told = low.Reader.ReadOutbox(seen, 10).Select(e => e.Type).ToList();
        Assert.Equal(0, told.IndexOf(OutboxTypes.Decision));
        Assert.True(told.IndexOf(OutboxTypes.HoldCaptured) > 0);
        Assert.Empty(await backend.VerifyAsync());
    }

    [Fact]
    public async Task The_observer_hears_of_commits_and_of_why_a_transaction_began_again()
    {
        var heard = new Heard();
        await using var backend = new PostgresBackend { Observer = heard };
        await using var ledger = await backend.LedgerAsync(TimeProvider.System);
        await Do(ledger, Deposit("d-1"));
        Assert.Equal((1, 0), (heard.Commands.Sum(), heard.Reasons.Count));
        await ledger.CommitAsync([new("t", "k", new byte[] { 1 }, Make.Start, 0, Deposit("d-2"))], _ => [new("t", "k", new byte[] { 2 }, Make.Start, 0, Deposit("d-3"))], Stop);
        Assert.Equal((3, RetryReasons.NotPlanned), (heard.Commands.Sum(), Assert.Single(heard.Reasons)));
    }

    private sealed class Heard : ILedgerObserver
    {
        public ConcurrentQueue<int> Commands { get; } = new();
        public ConcurrentQueue<string> Reasons { get; } = new();
        public void Committed(TimeSpan took, int commands) => Commands.Enqueue(took > TimeSpan.Zero ? commands : 0);
        public void Retried(string reason) => Reasons.Enqueue(reason);
    }
}
