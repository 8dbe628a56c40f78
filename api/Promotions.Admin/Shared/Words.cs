using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Amounts;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Admin.Shared;

/// <summary>How values read on a page.</summary>
internal static class Words
{
    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    public static string Money(long minorUnits, string currency)
    {
        var digits = Iso4217.DigitsOf(currency) ?? 0;
        decimal scale = 1;
        for (var digit = 0; digit < digits; digit++) scale *= 10;
        return (minorUnits / scale).ToString("N" + digits.ToString(Plain), Plain) + " " + currency;
    }

    /// <summary>Minor units, with fractions, to the currency's own unit.</summary>
    public static double Major(double minorUnits, string currency) => minorUnits / Math.Pow(10, Iso4217.DigitsOf(currency) ?? 0);

    /// <summary>An estimate in money: 12.34 EUR.</summary>
    public static string Estimate(double minorUnits, string currency) => Major(minorUnits, currency).ToString("#,##0.00", Plain) + " " + currency;

    public static string Count(long count) => count.ToString("#,##0", Plain);
    public static string Percent(double share, int digits = 1) => (share * 100).ToString("F" + digits.ToString(Plain), Plain) + " %";
    public static string Number(double value) => value.ToString("0.###", Plain);
    /// <summary>As the beginning of a paragraph.</summary>
    public static string Sentence(string text) => text is [var first, .. var rest] ? char.ToUpperInvariant(first) + rest : text;

    public static string Signed(double value) => value.ToString("+0.00;−0.00;0.00", Plain);
    public static string Milliseconds(double value) => value.ToString(value < 10 ? "0.0" : "0", Plain) + " ms";
    public static string Seconds(double value) => value < 1 ? Milliseconds(value * 1000) : value < 120 ? value.ToString(value < 10 ? "0.0" : "0", Plain) + " s" : (value / 60).ToString("0", Plain) + " min";
    public static string Time(EventTime at) => at.ToDateTimeOffset().ToString("HH:mm:ss", Plain);
    public static string DateAndTime(EventTime at) => at.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm:ss", Plain) + " UTC";
    public static string Date(EventTime at) => at.ToDateTimeOffset().ToString("yyyy-MM-dd", Plain);
    public static string Iso(EventTime at) => at.ToDateTimeOffset().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", Plain);

    /// <summary>How long ago, in one unit: 40 s, 12 min, 3 h, 5 d.</summary>
    public static string Age(EventTime now, EventTime at)
    {
        var seconds = Math.Max(0, (now.UnixMilliseconds - at.UnixMilliseconds) / 1000);
        var (value, unit) = seconds switch { < 60 => (seconds, "s"), < 3_600 => (seconds / 60, "min"), < 86_400 => (seconds / 3_600, "h"), _ => (seconds / 86_400, "d") };
        return value.ToString(Plain) + " " + unit;
    }

    public static string Status(RedemptionStatus status) => status switch
    {
        RedemptionStatus.Approved => "approved",
        RedemptionStatus.Review => "review",
        RedemptionStatus.Blocked => "blocked",
        RedemptionStatus.Rejected => "rejected",
        _ => "undecided",
    };

    /// <summary>CamelCase to words: SpendBelowMinimum reads "spend below minimum".</summary>
    public static string Refusal(RefusalCode refusal) =>
        string.Concat(refusal.ToString().Select((c, at) => char.IsAsciiLetterUpper(c) ? (at == 0 ? "" : " ") + char.ToLowerInvariant(c) : c.ToString()));

    /// <summary>Why a decision came out as it did, in a few words; empty when it was approved without remark.</summary>
    public static string Why(Decision decision) => decision switch
    {
        { Refusal: not RefusalCode.None } => Refusal(decision.Refusal),
        { Proposal.Risk.HardRule: { } rule } => rule,
        { Proposal.Risk.ScorerFault: not null } => "no score",
        { Status: RedemptionStatus.Blocked or RedemptionStatus.Review } => decision.Proposal.Risk.Reasons.Count > 0 ? decision.Proposal.Risk.Reasons[0].Sentence : "score",
        _ => "",
    };

    public static string Benefit(Campaign campaign)
    {
        var off = campaign.Benefit.Type is BenefitType.PercentOff
            ? (campaign.Benefit.BasisPoints / 100m).ToString("0.##", Plain) + " % off"
            : Money(campaign.Benefit.AmountMinorUnits, campaign.Currency) + " off";
        return off + (campaign.Benefit.OnMatchingLines ? " matching lines" : " the order");
    }

    public static string Distribution(Distribution distribution) => distribution switch
    {
        Domain.Campaigns.Distribution.Public => "public",
        Domain.Campaigns.Distribution.Private => "private",
        Domain.Campaigns.Distribution.CodeBased => "codes",
        _ => "none",
    };

    public static string Stage(Campaign campaign, EventTime now) =>
        !campaign.Active ? "paused" : now < campaign.StartsAt ? "scheduled" : campaign.EndsAt is { } end && now >= end ? "ended" : "running";
}
