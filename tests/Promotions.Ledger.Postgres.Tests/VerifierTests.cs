using Microsoft.Extensions.Time.Testing;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger.Contract;

namespace Promotions.Ledger.Postgres.Tests;

/// <summary>Someone edits the database: each edit is found, by the invariant that it breaks.</summary>
public sealed class VerifierTests
{
    private static async Task FillAsync(PostgresBackend backend)
    {
        await using var ledger = await backend.LedgerAsync(new FakeTimeProvider(Make.Start.ToDateTimeOffset()));
        foreach (var command in new LedgerCommand[]
        {
            new PutCampaign("put-1", Make.Admin, Make.Start, Make.Campaign(limits: new(100, 3, 50_000))),
            new AddCoupons("add-1", Make.Admin, Make.Start, "spring", [new("A", null, 5)]),
            new DepositCash("d-1", Make.Admin, Make.Start, "ann", "EUR", 1_000, null),
            new GrantPoints("g-1", Make.Admin, Make.Start, "ann", 100, Make.Start.Plus(TimeSpan.FromDays(1)), null),
            Make.Decide(Make.Proposal("r-1", "ann", [Make.Use(new("A", "spring", null, 5, false, Make.Start)), Make.Pay(RedeemableType.Points, 50), Make.Pay(RedeemableType.Cash, 10)])),
            Make.Decide(Make.Proposal("r-2", "bob", [Make.Use(new("A", "spring", null, 5, false, Make.Start))], RedemptionStatus.Review)),
            new CaptureHold("c-1", Make.Shop, Make.Start, "r-1"),
            new VoidHold("v-9", Make.Shop, Make.Start, "r-9", null),
            new AddCoupons("add-2", Make.Admin, Make.Start, "spring", [new("B", null, 1)]),
            new AssignCoupon("assign", Make.Admin, Make.Start, "B", "bob"),
            new RevokeCoupon("revoke", Make.Admin, Make.Start, "B"),
            new GrantPoints("g-2", Make.Admin, Make.Start, "ann", 100, Make.Start.Plus(TimeSpan.FromDays(2)), null),
            Make.Decide(Make.Proposal("r-5", "ann", [Make.Pay(RedeemableType.Points, 10)])),
            new LogTrigger("t-1", Make.Shop, Make.Start, [new("spring", 1, "ann", Arm.Treated, false, Make.Start)]),
            new RecordOrder(Make.Shop, new("o-1", "web-de", "key-1", new("ann", null), Make.Request("x", "ann", []).Cart, 500, null, Make.Start, null, new byte[32]), 0, null),
            new RecordReturn(Make.Shop, new("ret-1", "o-1", "ann", 100, Make.Start, new byte[32])),
            new RecordLabel(Make.Admin, new("label", "r-2", false, "review", null, "ada", Make.Start, new("", null, null, null, [], null, null))),
        })
            Assert.True((await ledger.ExecuteAsync(command, Lane.Decision, TestContext.Current.CancellationToken)).Accepted, command.Id);
        await ledger.ExecuteManyAsync([.. Enumerable.Range(0, 300).Select(i => new DepositCash("many-" + i, Make.Admin, Make.Start, "c-" + (i % 7), "EUR", 1 + i, null))], null, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Every_kind_of_edit_is_found()
    {
        await using var backend = new PostgresBackend();
        await FillAsync(backend);
        Assert.Empty(await backend.VerifyAsync());
        var missed = new List<string>();
        foreach (var (invariant, edit, back) in Edits())
        {
            await PostgresServer.ExecuteAsync(backend.ConnectionString, edit);
            var found = await backend.VerifyAsync();
            if (!found.Any(f => f.Contains("Invariant = " + invariant + ",", StringComparison.Ordinal))) missed.Add($"{invariant}: {edit} gave [{string.Join("; ", found)}]");
            await PostgresServer.ExecuteAsync(backend.ConnectionString, back);
        }

        Assert.Empty(missed);
        Assert.Empty(await backend.VerifyAsync());
    }

    private static IEnumerable<(string Invariant, string Edit, string Back)> Edits() =>
    [
        Pair("units_sum_to_zero", "UPDATE account SET free = free {0} 1 WHERE owner = 'ann' AND member = 'cash'"),
        Pair("balance_equals_postings", "UPDATE account SET free = free {0} 1 WHERE owner = 'ann' AND member = 'cash'"),
        Pair("balance_equals_postings", "UPDATE posting SET amount = amount {0} 1 WHERE entry = 3"),
        Pair("holds_match_decisions", "UPDATE hold SET expires_at = expires_at {0} 1"),
        Pair("lots_equal_balances", "UPDATE lot SET remaining = remaining {0} 5, quantity = quantity {0} 5"),
        Pair("lots_equal_their_moves", "UPDATE lot SET remaining = remaining {0} 5, quantity = quantity {0} 5"),
        Pair("audit_leaves", "UPDATE entry SET at = at {0} 1 WHERE id = 4"),
        Pair("audit_leaves", "UPDATE decision SET decided_at = decided_at {0} 1 WHERE redemption_id = 'r-2'"),
        Pair("audit_leaves", "UPDATE posting SET debit = debit {0} 4 WHERE entry = 3"),
        Pair("outbox_places_are_dense", "UPDATE leaf SET outbox_through = outbox_through {0} 1 WHERE position = 5"),
        Pair("head_is_the_last_leaf", "UPDATE head SET size = size {0} 1"),
        ("tree_nodes", "UPDATE tree SET idx = idx + 1", "UPDATE tree SET idx = idx - 1"),
        ("limits_are_kept", "UPDATE coupon SET uses_max = 1 WHERE code = 'A'", "UPDATE coupon SET uses_max = 5 WHERE code = 'A'"),
        ("holds_equal_held_balances", "UPDATE hold SET state = 3, resolved_by = 7 WHERE state = 1", "UPDATE hold SET state = 1, resolved_by = NULL WHERE state = 3"),
        ("each_hold_is_resolved_once", "UPDATE hold SET state = 3, resolved_by = 7 WHERE state = 1", "UPDATE hold SET state = 1, resolved_by = NULL WHERE state = 3"),
        ("ids_and_entries_agree", "UPDATE command SET entry = 1 WHERE id = 'r-2'", "UPDATE command SET entry = 6 WHERE id = 'r-2'"),
        ("voids_are_entries", "UPDATE command SET voided_by = 1 WHERE id = 'r-9'", "UPDATE command SET voided_by = 8 WHERE id = 'r-9'"),
        ("flags_equal_decisions", "UPDATE flag SET entry = 5", "UPDATE flag SET entry = 6"),
        ("each_decision_is_told_once", "UPDATE outbox SET type = 'decided' WHERE type = 'decision'", "UPDATE outbox SET type = 'decision' WHERE type = 'decided'"),
        ("audit_leaves", "UPDATE outbox SET key = 'eve' WHERE entry = 3", "UPDATE outbox SET key = 'ann' WHERE entry = 3"),
        ("checkpoints_match_the_tree", "UPDATE checkpoint SET size = size + 5000", "UPDATE checkpoint SET size = size - 5000"),
        ("checkpoints_are_signed", "UPDATE checkpoint SET note = 'x' || note", "UPDATE checkpoint SET note = substr(note, 2)"),
        ("every_entry_has_a_place_or_waits", "UPDATE leaf SET entry = entry + 100000 WHERE position = 40", "UPDATE leaf SET entry = entry - 100000 WHERE position = 40"),
        ("places_are_given_in_time", "INSERT INTO pending (entry, told, logged, since, leaf) VALUES (40, 1, false, now() - interval '1 hour', '')", "DELETE FROM pending"),
        ("each_decision_has_a_place_or_waits", "UPDATE leaf SET entry = entry + 100000 WHERE position = 5", "UPDATE leaf SET entry = entry - 100000 WHERE position = 5"),
        Pair("lots_equal_their_moves", "UPDATE lot SET spent = spent {0} 1, quantity = quantity {0} 1 WHERE origin = 'g-1'"),
        ("earliest_expiry_first", "UPDATE lot SET expires_at = expires_at - 172800000 + 3600000 WHERE origin = 'g-2'", "UPDATE lot SET expires_at = expires_at + 172800000 - 3600000 WHERE origin = 'g-2'"),
        ("nothing_is_taken_after_expiry", "UPDATE lot SET expires_at = expires_at - 86400000 WHERE origin = 'g-1'", "UPDATE lot SET expires_at = expires_at + 86400000 WHERE origin = 'g-1'"),
        ("coupons_equal_the_outbox", "UPDATE coupon SET uses_max = 500 WHERE code = 'A'", "UPDATE coupon SET uses_max = 5 WHERE code = 'A'"),
        ("coupons_equal_the_outbox", "UPDATE coupon SET revoked = false WHERE code = 'B'", "UPDATE coupon SET revoked = true WHERE code = 'B'"),
        ("coupons_equal_the_outbox", "UPDATE coupon SET customer = 'eve' WHERE code = 'B'", "UPDATE coupon SET customer = 'bob' WHERE code = 'B'"),
        ("coupons_equal_the_outbox", "INSERT INTO coupon VALUES ('FREE', 'spring', NULL, NULL, false, 0)", "DELETE FROM coupon WHERE code = 'FREE'"),
        ("arms_equal_the_outbox", "UPDATE arm SET arm = 2", "UPDATE arm SET arm = 1"),
        ("purchases_equal_the_outbox", "UPDATE purchase SET returned = 101", "UPDATE purchase SET returned = 100"),
        ("holds_equal_the_outbox", "UPDATE hold SET state = 3 WHERE state = 2", "UPDATE hold SET state = 2 WHERE state = 3"),
        ("decisions_are_whole", "UPDATE decision SET customer = 'eve' WHERE redemption_id = 'r-2'", "UPDATE decision SET customer = 'bob' WHERE redemption_id = 'r-2'"),
        ("limits_only_refuse", "UPDATE decision SET status = 1 WHERE redemption_id = 'r-2'", "UPDATE decision SET status = 2 WHERE redemption_id = 'r-2'"),
        ("labels_equal_their_commands", "UPDATE label SET abuse = true", "UPDATE label SET abuse = false"),
        ("flags_equal_labels", "UPDATE flag SET answer = true", "UPDATE flag SET answer = false"),
        ("campaigns_equal_their_commands", "UPDATE campaign SET document = replace(document, '50000', '90000')", "UPDATE campaign SET document = replace(document, '90000', '50000')"),
        ("limits_are_kept", "UPDATE campaign SET document = replace(document, '50000', '999')", "UPDATE campaign SET document = replace(document, '999', '50000')"),
        ("campaign_versions_are_dense", "UPDATE campaign SET version = 2", "UPDATE campaign SET version = 1"),
    ];

    private static (string, string, string) Pair(string invariant, string sql) =>
        (invariant, sql.Replace("{0}", "+", StringComparison.Ordinal), sql.Replace("{0}", "-", StringComparison.Ordinal));
}
