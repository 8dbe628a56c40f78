using System.Text.Json;
using Promotions.Domain.Events;
using Promotions.Ledger.Formats;
using Promotions.Ledger.Sqlite.Storage;
using Promotions.Ledger.Verification;

namespace Promotions.Ledger.Sqlite.Verification;

/// <summary>Ids, decisions, and the tables that are folds of what was told: coupons, arms, purchases, flags, holds' states.</summary>
internal sealed class RecordChecks(Db db, Findings findings)
{
    public void Run()
    {
        findings.Run("ids_and_entries_agree", CheckIds);
        findings.Run("decisions_are_whole", CheckDecisions);
        findings.Run("tables_equal_the_outbox", CheckFolds);
        findings.Run("labels_and_flags", CheckLabels);
        findings.Run("campaigns_equal_their_commands", CheckCampaigns);
    }

    /// <summary>An effect exists exactly where an id is recorded; refusals take no id, except those that decide it.</summary>
    private void CheckIds()
    {
        var rows = db.Prepare("SELECT c.id, c.position, e.command_id, e.refusal FROM command c LEFT JOIN entry e ON e.position = c.position");
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("ids_and_entries_agree");
                if (rows.OptionalText(2) != rows.Text(0)) findings.Add("ids_and_entries_agree", $"id {rows.Text(0)} names entry {rows.Long(1)} of {rows.OptionalText(2) ?? "nothing"}");
                else if (rows.Int(3) is not (0 or (int)LedgerRefusal.VoidedBefore)) findings.Add("ids_and_entries_agree", $"id {rows.Text(0)} is taken by a refusal");
            }

        Report("ids_and_entries_agree", "SELECT position || ' ' || command_id FROM entry e WHERE refusal IN (0, 8) AND kind BETWEEN 1 AND 15 AND NOT EXISTS (SELECT 1 FROM command c WHERE c.id = e.command_id AND c.position = e.position)", "took no id: entry");
        Report("effects_belong_to_accepted_entries", "SELECT e.position FROM entry e WHERE e.refusal NOT IN (0, 8) AND (EXISTS (SELECT 1 FROM posting p WHERE p.id >= e.position << 16 AND p.id < (e.position + 1) << 16) OR EXISTS (SELECT 1 FROM decision d WHERE d.position = e.position))", "a refusal has effects: entry");
        Report("each_redemption_has_a_decision", "SELECT e.position FROM entry e WHERE e.kind = 1 AND e.refusal IN (0, 8) AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.position = e.position)", "no decision: entry");
        Report("voids_are_entries", "SELECT v.redemption_id FROM voided_before v LEFT JOIN entry e ON e.position = v.position AND e.kind = 4 WHERE e.position IS NULL", "void without entry:");
    }

    private void CheckDecisions()
    {
        var rows = db.Prepare($"SELECT {Rows.DecisionColumns}, d.redemption_id, d.customer, d.model_hash, e.content, e.kind FROM {Rows.DecisionTables} LEFT JOIN entry e ON e.position = d.position");
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("decisions_are_whole");
                var position = rows.Long(0);
                var decision = Rows.ReadDecision(rows);
                var proposal = decision.Proposal;
                if (proposal.Request.Id != rows.Text(8) || proposal.Request.Customer.Id != rows.Text(9) || proposal.Risk.ModelHash != rows.Text(10))
                    findings.Add("decisions_are_whole", $"decision {position}: columns and document differ");
                if (rows.OptionalLong(12) != (int)CommandKind.DecideRedemption) findings.Add("decisions_are_whole", $"decision {position} belongs to no decide entry");
                else if (proposal.Request.RequestHash.Length == 32 && !proposal.Request.RequestHash.Span.SequenceEqual(rows.BlobSpan(11)))
                    findings.Add("decisions_are_whole", $"decision {position}: the request's hash is not its entry's");
                var allowed = decision.Status is RedemptionStatus.Approved or RedemptionStatus.Review;
                if (allowed && proposal.Proposed != decision.Status) findings.Add("limits_only_refuse", $"decision {position}: proposed {proposal.Proposed}, recorded {decision.Status}");
                if (decision.HoldExpiresAt is not null != (allowed && proposal.Request.Kind is AttemptKind.Redemption)) findings.Add("allowed_redemptions_hold", $"decision {position} is {decision.Status}");
            }

        Report("each_decision_is_told_once", "SELECT d.position FROM decision d LEFT JOIN (SELECT entry, count(*) AS told FROM outbox WHERE type = 'decision' GROUP BY entry) o ON o.entry = d.position WHERE o.told IS NOT 1", "decision");
    }

    private void CheckFolds()
    {
        var coupons = new Dictionary<string, (string Campaign, string? Customer, long? UsesMax, bool Revoked)>(StringComparer.Ordinal);
        var arms = new Dictionary<(string, string), string>();
        var purchases = new Dictionary<string, (long Position, long Total, long Returned)>(StringComparer.Ordinal);
        var holds = new Dictionary<string, int>(StringComparer.Ordinal);
        var rows = db.Prepare("SELECT type, key, payload, entry FROM outbox ORDER BY position");
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("tables_equal_the_outbox");
                var type = rows.Text(0);
                if (type is OutboxTypes.HoldCaptured or OutboxTypes.HoldVoided or OutboxTypes.HoldExpired)
                {
                    var state = type switch { OutboxTypes.HoldCaptured => 2, OutboxTypes.HoldVoided => 3, _ => 4 };
                    if (!holds.TryAdd(rows.Text(1), state)) findings.Add("each_hold_is_resolved_once", $"{rows.Text(1)} was told twice");
                    continue;
                }

                if (type is not (OutboxTypes.CouponIssued or OutboxTypes.CouponRevoked or OutboxTypes.Arm or OutboxTypes.Order or OutboxTypes.Return)) continue;
                using var json = JsonDocument.Parse(rows.Blob(2));
                var root = json.RootElement;
                switch (type)
                {
                    case OutboxTypes.CouponIssued:
                        coupons[rows.Text(1)] = (Text(root, "campaign_id")!, Text(root, "customer"), root.GetProperty("uses_max") is { ValueKind: JsonValueKind.Number } n ? n.GetInt64() : null, false);
                        break;
                    case OutboxTypes.CouponRevoked: coupons[rows.Text(1)] = coupons[rows.Text(1)] with { Revoked = true }; break;
                    case OutboxTypes.Arm:
                        if (root.GetProperty("first").GetBoolean()) arms.Add((Text(root, "campaign_id")!, rows.Text(1)), Text(root, "arm")!);
                        break;
                    case OutboxTypes.Order: purchases.Add(rows.Text(1), (rows.Long(3), root.GetProperty("total").GetInt64(), 0)); break;
                    default:
                        var order = purchases[rows.Text(1)];
                        purchases[rows.Text(1)] = order with { Returned = order.Returned + root.GetProperty("amount").GetInt64() };
                        break;
                }
            }

        CompareCoupons(coupons);
        CompareArms(arms);
        ComparePurchases(purchases);
        CompareHolds(holds);
    }

    private void CompareCoupons(Dictionary<string, (string Campaign, string? Customer, long? UsesMax, bool Revoked)> told)
    {
        var rows = db.Prepare("SELECT code, campaign, customer, uses_max, revoked FROM coupon");
        using (rows.Scope())
            while (rows.Step())
                if (!told.Remove(rows.Text(0), out var coupon) || coupon != (rows.Text(1), rows.OptionalText(2), rows.OptionalLong(3), rows.Long(4) != 0))
                    findings.Add("coupons_equal_the_outbox", $"coupon {rows.Text(0)}: told {coupon}");
        foreach (var code in told.Keys.Take(10)) findings.Add("coupons_equal_the_outbox", $"coupon {code} was told and is not there");
    }

    private void CompareArms(Dictionary<(string, string), string> told)
    {
        var rows = db.Prepare("SELECT campaign, customer, arm FROM arm");
        using (rows.Scope())
            while (rows.Step())
                if (!told.Remove((rows.Text(0), rows.Text(1)), out var arm) || arm != (rows.Int(2) == 1 ? "treated" : "control"))
                    findings.Add("arms_equal_the_outbox", $"{rows.Text(0)} {rows.Text(1)}: told {arm ?? "nothing"}");
        foreach (var (campaign, customer) in told.Keys.Take(10)) findings.Add("arms_equal_the_outbox", $"{campaign} {customer} was told and is not there");
    }

    private void ComparePurchases(Dictionary<string, (long Position, long Total, long Returned)> told)
    {
        var byPosition = told.Values.ToDictionary(p => p.Position);
        var rows = db.Prepare("SELECT position, total, returned FROM purchase");
        using (rows.Scope())
            while (rows.Step())
                if (!byPosition.Remove(rows.Long(0), out var order) || (order.Total, order.Returned) != (rows.Long(1), rows.Long(2)))
                    findings.Add("purchases_equal_the_outbox", $"purchase {rows.Long(0)}: {rows.Long(1)} and {rows.Long(2)} returned, told {order.Total} and {order.Returned}");
        if (byPosition.Count > 0) findings.Add("purchases_equal_the_outbox", $"{byPosition.Count} purchases were told and are not there");
    }

    private void CompareHolds(Dictionary<string, int> told)
    {
        var rows = db.Prepare("SELECT d.redemption_id, h.state FROM hold h JOIN decision d ON d.position = h.position");
        using (rows.Scope())
            while (rows.Step())
            {
                var state = told.Remove(rows.Text(0), out var t) ? t : 1;
                if (state != rows.Int(1)) findings.Add("holds_equal_the_outbox", $"{rows.Text(0)}: state {rows.Int(1)}, told {state}");
            }

        foreach (var id in told.Keys.Take(10)) findings.Add("holds_equal_the_outbox", $"{id} was told and has no hold");
    }

    private void CheckLabels()
    {
        var rows = db.Prepare("SELECT l.position, l.redemption_id, l.abuse, l.source, l.note, l.actor, l.at, e.command_id, e.content FROM label l LEFT JOIN entry e ON e.position = l.position");
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("labels_equal_their_commands");
                var label = new LabelRecorded(rows.OptionalText(7) ?? "", rows.Text(1), rows.Long(2) != 0, rows.Text(3), rows.OptionalText(4), rows.Text(5), new(rows.Long(6)), new("", null, null, null, [], null, null));
                if (!CommandContent.Hash(CommandContent.Encode(new RecordLabel(Actor.System, label))).AsSpan().SequenceEqual(rows.BlobSpan(8)))
                    findings.Add("labels_equal_their_commands", $"label {rows.Long(0)}");
            }

        Report("flags_equal_labels", """
            SELECT f.position FROM flag f JOIN decision d ON d.position = f.position
            LEFT JOIN (SELECT redemption_id, abuse, max(position) FROM label WHERE source = 'review' GROUP BY redemption_id) l ON l.redemption_id = d.redemption_id
            WHERE f.answer IS NOT l.abuse
            """, "flag");
        Report("flags_equal_labels", "SELECT position FROM decision WHERE status IN (2, 3) AND position NOT IN (SELECT position FROM flag)", "no flag: decision");
    }

    private void CheckCampaigns()
    {
        var last = new Dictionary<string, long>(StringComparer.Ordinal);
        var rows = db.Prepare("SELECT c.id, c.version, c.document, e.command_id, e.content, c.position FROM campaign c LEFT JOIN entry e ON e.position = c.position ORDER BY c.id, c.version");
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("campaigns_equal_their_commands");
                var campaign = CampaignJson.Read(rows.Text(2));
                var command = new PutCampaign(rows.OptionalText(3) ?? "", Actor.System, default, campaign);
                if (campaign.Id != rows.Text(0) || campaign.Version != rows.Long(1) || !CommandContent.Hash(CommandContent.Encode(command)).AsSpan().SequenceEqual(rows.BlobSpan(4)))
                    findings.Add("campaigns_equal_their_commands", $"{rows.Text(0)} version {rows.Long(1)}");
                if (rows.Long(1) != last.GetValueOrDefault(campaign.Id) + 1) findings.Add("campaign_versions_are_dense", $"{campaign.Id} version {rows.Long(1)}");
                last[campaign.Id] = rows.Long(1);
            }

        Report("campaigns_equal_their_commands", "SELECT e.position FROM entry e WHERE e.kind = 12 AND e.refusal = 0 AND e.position NOT IN (SELECT position FROM campaign)", "no campaign for entry");
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    private void Report(string invariant, string sql, string what)
    {
        var rows = db.Prepare(sql);
        using (rows.Scope())
            while (rows.Step()) findings.Add(invariant, $"{what} {rows.Text(0)}");
    }
}
