using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Formats;

namespace Promotions.Ledger.Verification;

/// <summary>Rows that stand for themselves: decisions, labels, campaigns and the limits they set.</summary>
internal sealed class RecordJudge(Findings findings)
{
    private readonly Dictionary<string, List<Limits>> _limits = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _versions = new(StringComparer.Ordinal);
    private readonly Dictionary<AccountKey, long> _letThrough = [];

    /// <param name="kind">Of its entry; null when there is none.</param>
    /// <param name="content">Its entry's content hash.</param>
    public void Decision(Decision decision, string redemptionId, string customer, string modelHash, int? kind, ReadOnlySpan<byte> content)
    {
        findings.Count("decisions_are_whole");
        var proposal = decision.Proposal;
        if (proposal.Request.Id != redemptionId || proposal.Request.Customer.Id != customer || proposal.Risk.ModelHash != modelHash)
            findings.Add("decisions_are_whole", $"decision {decision.Position}: columns and document differ");
        if (kind != (int)CommandKind.DecideRedemption) findings.Add("decisions_are_whole", $"decision {decision.Position} belongs to no decide entry");
        else if (proposal.Request.RequestHash.Length == 32 && !proposal.Request.RequestHash.Span.SequenceEqual(content))
            findings.Add("decisions_are_whole", $"decision {decision.Position}: the request's hash is not its entry's");
        var allowed = decision.Status is RedemptionStatus.Approved or RedemptionStatus.Review;
        if (allowed && proposal.Proposed != decision.Status) findings.Add("limits_only_refuse", $"decision {decision.Position}: proposed {proposal.Proposed}, recorded {decision.Status}");
        if (allowed && proposal.Risk.LetThrough is { } draw)
        {
            if (!draw.Drawn) findings.Add("limits_only_refuse", $"decision {decision.Position}: not drawn, and yet let through");
            var day = AccountKey.LetThrough(proposal.Request.At, proposal.Request.Cart.Currency);
            _letThrough[day] = Math.Max(_letThrough.GetValueOrDefault(day), draw.ValuePerDayMax);     // it may have been changed within the day
        }

        if (decision.HoldExpiresAt is not null != (allowed && proposal.Request.Kind is AttemptKind.Redemption)) findings.Add("allowed_redemptions_hold", $"decision {decision.Position} is {decision.Status}");
    }

    /// <param name="label">With its entry's command as id.</param>
    public void Label(long position, LabelRecorded label, ReadOnlySpan<byte> content)
    {
        findings.Count("labels_equal_their_commands");
        if (!CommandContent.Hash(CommandContent.Encode(new RecordLabel(Actor.System, label))).AsSpan().SequenceEqual(content)) findings.Add("labels_equal_their_commands", $"label {position}");
    }

    /// <summary>In order of versions.</summary>
    public void Campaign(string id, long version, string document, string? commandId, ReadOnlySpan<byte> content)
    {
        findings.Count("campaigns_equal_their_commands");
        var campaign = CampaignJson.Read(document);
        var command = new PutCampaign(commandId ?? "", Actor.System, default, campaign);
        if (campaign.Id != id || campaign.Version != version || !CommandContent.Hash(CommandContent.Encode(command)).AsSpan().SequenceEqual(content))
            findings.Add("campaigns_equal_their_commands", $"{id} version {version}");
        if (version != _versions.GetValueOrDefault(id) + 1) findings.Add("campaign_versions_are_dense", $"{id} version {version}");
        _versions[id] = version;
        if (!_limits.TryGetValue(id, out var limits)) _limits.Add(id, limits = []);
        limits.Add(campaign.Limits);
    }

    /// <summary>After all campaigns.</summary>
    /// <param name="coupon">Whether there is a coupon of that code, and its limit; looked at for coupons' uses alone.</param>
    public void Limit(AccountKey key, long held, long used, (bool Exists, long? UsesMax) coupon)
    {
        if (key.Kind < AccountKind.CampaignUses) return;
        findings.Count("limits_are_kept");
        long? limit;
        if (key.Kind is AccountKind.LetThrough) limit = _letThrough.GetValueOrDefault(key);
        else if (key.Kind is AccountKind.CouponUses)
        {
            if (!coupon.Exists) findings.Add("limits_are_kept", $"{key} has no coupon");
            limit = coupon.UsesMax;
        }
        else if (_limits.TryGetValue(key.Owner, out var versions))
        {
            // A later version may lower a limit below what was used under an earlier one: the highest that ever was is what can be checked.
            var values = versions.Select(v => key.Kind switch
            {
                AccountKind.CampaignUses => v.UsesMax,
                AccountKind.CustomerUses => v.UsesPerCustomerMax,
                _ => v.BudgetMinorUnits,
            }).ToArray();
            limit = values.Contains(null) ? null : values.Max();
        }
        else
        {
            findings.Add("limits_are_kept", $"{key} has no campaign");
            return;
        }

        if (limit is { } max && held + used > max) findings.Add("limits_are_kept", $"{key}: {held} held and {used} used of {max}");
    }
}
