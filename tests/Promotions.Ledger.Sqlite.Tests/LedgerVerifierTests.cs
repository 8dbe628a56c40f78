using Microsoft.Extensions.Time.Testing;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Ledger.Contract;
using Promotions.Ledger.Sqlite.Storage;
using Promotions.Ledger.Sqlite.Verification;

namespace Promotions.Ledger.Sqlite.Tests;

/// <summary>Someone edits the file: each edit is found, by the invariant that it breaks.</summary>
public sealed class LedgerVerifierTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("verify-").FullName;
    private string FilePath => Path.Combine(_folder, "ledger.db");

    public void Dispose() => Directory.Delete(_folder, true);

    /// <summary>A little of everything, 300 entries and more so that the tree has stored nodes.</summary>
    private async Task Fill()
    {
        var time = new FakeTimeProvider(Make.Start.ToDateTimeOffset());
        await using var ledger = SqliteLedger.Open(new() { Path = FilePath }, time);
        async Task<LedgerOutcome> Do(LedgerCommand command) => await ledger.ExecuteAsync(command, Lane.Decision, TestContext.Current.CancellationToken);
        await Do(new PutCampaign("put-1", Make.Admin, Make.Start, Make.Campaign(limits: new(100, 3, 50_000))));
        await Do(new AddCoupons("add-1", Make.Admin, Make.Start, "spring", [new("A", null, 5), new("B", "ann", 1), new("C", null, null)]));
        await Do(new RevokeCoupon("rev-1", Make.Admin, Make.Start, "B"));
        await Do(new DepositCash("d-1", Make.Admin, Make.Start, "ann", "EUR", 1_000, null));
        await Do(new GrantPoints("g-1", Make.Admin, Make.Start, "ann", 100, Make.Start.Plus(TimeSpan.FromDays(1)), null));
        await Do(new GrantPoints("g-2", Make.Admin, Make.Start, "ann", 100, null, null));
        var a = ledger.Campaigns.FindCoupon("A")!;
        await Do(Make.Decide(Make.Proposal("r-1", "ann", [Make.Use(a), Make.Pay(RedeemableType.Points, 150), Make.Pay(RedeemableType.Cash, 10)])));
        await Do(Make.Decide(Make.Proposal("r-2", "bob", [Make.Use(a)], RedemptionStatus.Review, arms: [new("spring", 1, "bob", Arm.Treated, false, Make.Start)])));
        await Do(new CaptureHold("c-1", Make.Shop, Make.Start, "r-1"));
        await Do(new RecordLabel(Make.Admin, new("l-1", "r-2", false, "review", null, "ada", Make.Start, Make.Proposal("r-2", "bob", []).Entities)));
        await Do(new RecordOrder(Make.Shop, new("o-1", "web-de", "key-1", new("ann", null), Make.Request("x", "ann", []).Cart, 10_000, "r-1", Make.Start, null, new byte[32]), 10, null));
        await Do(new VoidHold("v-9", Make.Shop, Make.Start, "r-9", null));
        for (var i = 0; i < 300; i++) await Do(new DepositCash("many-" + i, Make.Admin, Make.Start, "c-" + (i % 7), "EUR", 1 + i, null));
    }

    [Fact]
    public async Task A_sound_ledger_has_no_findings_and_says_what_it_looked_at()
    {
        await Fill();
        var report = LedgerVerifier.Verify(FilePath, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Empty(report.Findings);
        Assert.Equal(312, report.Checked.Single(c => c.Key == "audit_leaves").Value);
        Assert.True(report.Checked.Single(c => c.Key == "checkpoints_match_the_tree").Value >= 1);
        Assert.Equal(1, report.Checked.Single(c => c.Key == "tree_nodes").Value);
    }

    [Fact]
    public async Task Every_kind_of_edit_is_found()
    {
        await Fill();
        var missed = new List<string>();
        foreach (var (invariant, sql) in Edits())
        {
            var copy = Path.Combine(_folder, "copy.db");
            File.Copy(FilePath, copy, true);
            using (var db = Db.Open(copy, readOnly: false))
            {
                db.Execute("PRAGMA ignore_check_constraints = 1");
                db.Execute(sql);
                if (db.Changes == 0) missed.Add("changed nothing: " + sql);
            }

            File.Copy(FilePath + ".audit-key", copy + ".audit-key", true);
            var found = LedgerVerifier.Verify(copy, cancellationToken: TestContext.Current.CancellationToken).Findings;
            if (!found.Any(f => f.Invariant == invariant)) missed.Add($"{invariant}: {sql} gave [{string.Join(", ", found.Select(f => f.Invariant).Distinct())}]");
            foreach (var file in Directory.GetFiles(_folder, "copy.db*")) File.Delete(file);
        }

        Assert.Empty(missed);
    }

    private static IEnumerable<(string Invariant, string Sql)> Edits() =>
    [
        ("units_sum_to_zero", "UPDATE account SET free = free + 1 WHERE owner = 'ann' AND member = 'cash'"),
        ("balance_equals_postings", "UPDATE account SET free = free + 1 WHERE owner = 'ann' AND member = 'cash'"),
        ("no_balance_is_negative", "UPDATE account SET free = -1 WHERE owner = 'ann' AND member = 'cash'"),
        ("balance_equals_postings", "UPDATE posting SET amount = amount + 1 WHERE id = (SELECT min(id) FROM posting)"),
        ("postings_are_positive", "UPDATE posting SET amount = -amount WHERE id = (SELECT min(id) FROM posting)"),
        ("postings_stay_in_one_unit", "UPDATE posting SET credit = (SELECT id * 4 FROM account WHERE member = 'points') WHERE id = (SELECT min(id) FROM posting)"),
        ("postings_name_accounts", "UPDATE posting SET credit = 99999 WHERE id = (SELECT min(id) FROM posting)"),
        ("audit_leaves", "DELETE FROM posting WHERE id = (SELECT max(id) FROM posting)"),
        ("holds_equal_held_balances", "UPDATE hold SET state = 3, resolved_by = 10 WHERE state = 1"),
        ("holds_equal_the_outbox", "UPDATE hold SET state = 3 WHERE state = 2"),
        ("holds_match_decisions", "UPDATE hold SET expires_at = expires_at + 1"),
        ("allowed_redemptions_hold", "DELETE FROM hold WHERE state = 1"),
        ("limits_are_kept", "UPDATE coupon SET uses_max = 1 WHERE code = 'A'"),
        ("coupons_equal_the_outbox", "UPDATE coupon SET uses_max = 500 WHERE code = 'A'"),
        ("coupons_equal_the_outbox", "UPDATE coupon SET revoked = 0 WHERE code = 'B'"),
        ("coupons_equal_the_outbox", "UPDATE coupon SET customer = 'eve' WHERE code = 'B'"),
        ("coupons_equal_the_outbox", "INSERT INTO coupon VALUES ('FREE', 'spring', NULL, NULL, 0, 0)"),
        ("lots_equal_balances", "UPDATE lot SET remaining = remaining + 5, quantity = quantity + 5 WHERE remaining > 0"),
        ("lots_equal_their_moves", "UPDATE lot SET spent = 0, remaining = 100 WHERE origin = 'g-1'"),
        ("earliest_expiry_first", "UPDATE lot SET expires_at = NULL WHERE origin = 'g-1'; UPDATE lot SET expires_at = 1772000100000 WHERE origin = 'g-2'"),
        ("audit_leaves", "UPDATE lot SET expires_at = expires_at + 1 WHERE origin = 'g-1'"),
        ("audit_leaves", "UPDATE decision SET refusal = 30 WHERE redemption_id = 'r-2'"),
        ("audit_leaves", "UPDATE decision SET vector = zeroblob(16) WHERE redemption_id = 'r-2'"),
        ("decisions_are_whole", "UPDATE decision SET customer = 'eve' WHERE redemption_id = 'r-2'"),
        ("decisions_are_whole", "UPDATE decision SET model_hash = 'other' WHERE redemption_id = 'r-2'"),
        ("limits_only_refuse", "UPDATE decision SET status = 1 WHERE redemption_id = 'r-2'"),
        ("each_redemption_has_a_decision", "DELETE FROM decision WHERE redemption_id = 'r-2'"),
        ("ids_and_entries_agree", "DELETE FROM command WHERE id = 'r-2'"),
        ("ids_and_entries_agree", "UPDATE command SET position = 1 WHERE id = 'r-2'"),
        ("audit_leaves", "UPDATE entry SET actor_id = 'eve' WHERE position = 4"),
        ("audit_leaves", "UPDATE entry SET value = x'00' WHERE position = 4"),
        ("audit_positions_are_dense", "DELETE FROM entry WHERE position = 40"),
        ("audit_stamps_rise", "UPDATE entry SET recorded_at = 0 WHERE position = 40"),
        ("tree_nodes", "UPDATE tree SET hash = zeroblob(32)"),
        ("tree_nodes", "UPDATE entry SET leaf = zeroblob(32) WHERE position = 40"),
        ("checkpoints_match_the_tree", "UPDATE checkpoint SET root = zeroblob(32)"),
        ("checkpoints_are_signed", "UPDATE checkpoint SET note = replace(note, substr(note, -20, 8), 'AAAAAAAA')"),
        ("outbox_positions_are_dense", "DELETE FROM outbox WHERE position = 3"),
        ("audit_leaves", "UPDATE outbox SET payload = CAST(replace(CAST(payload AS TEXT), 'deposit', 'gift') AS BLOB) WHERE position = 30"),
        ("each_decision_is_told_once", "DELETE FROM outbox WHERE type = 'decision'"),
        ("arms_equal_the_outbox", "UPDATE arm SET arm = 2"),
        ("purchases_equal_the_outbox", "UPDATE purchase SET returned = 1"),
        ("labels_equal_their_commands", "UPDATE label SET abuse = 1"),
        ("flags_equal_labels", "UPDATE flag SET answer = 1"),
        ("campaigns_equal_their_commands", "UPDATE campaign SET document = replace(document, '50000', '90000')"),
        ("voids_are_entries", "UPDATE voided_before SET position = 1"),
    ];

    [Fact]
    public async Task A_truncated_log_is_found_by_the_checkpoint_that_was_signed_before()
    {
        await Fill();
        using (var db = Db.Open(FilePath, readOnly: false))
        {
            db.Execute("INSERT INTO checkpoint SELECT 9999, at, root, note FROM checkpoint LIMIT 1");
        }

        Assert.Contains(LedgerVerifier.Verify(FilePath, cancellationToken: TestContext.Current.CancellationToken).Findings, f => f.Invariant == "checkpoints_match_the_tree");
    }
}
