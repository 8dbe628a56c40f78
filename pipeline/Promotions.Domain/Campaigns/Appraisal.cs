using Promotions.Domain.Amounts;
using Promotions.Domain.Events;

namespace Promotions.Domain.Campaigns;

/// <summary>What a campaign's rules say of one cart, whoever the customer is and whatever is left of its limits.</summary>
/// <param name="Counted">Minor units: subtotal of the matching lines, which spend limits look at.</param>
/// <param name="Discount">Minor units, 0 when refused.</param>
/// <param name="Lines">Indices of the lines that the discount is taken from, ascending; empty when refused.</param>
internal readonly record struct Appraisal(RefusalCode Refusal, long Counted, long Discount, int[] Lines)
{
    public static Appraisal Refused(RefusalCode refusal, long counted = 0) => new(refusal, counted, 0, []);

    /// <summary>The ladder of a campaign's own rules; the order of the lines is the precedence.</summary>
    public static Appraisal Of(Campaign campaign, string channel, Cart cart, EventTime at)
    {
        // First, since elsewhere the campaign does not exist: what else it would say there is nobody's business.
        if (campaign.Channels.Count > 0 && !campaign.Channels.Contains(channel)) return Refused(RefusalCode.ChannelNotAllowed);
        if (!campaign.Active) return Refused(RefusalCode.CampaignInactive);
        if (at < campaign.StartsAt) return Refused(RefusalCode.CampaignNotStarted);
        if (campaign.EndsAt is { } end && at >= end) return Refused(RefusalCode.CampaignEnded);
        if (cart.Currency != campaign.Currency) return Refused(RefusalCode.CurrencyMismatch);

        var (lines, counted, discountable) = Scan(campaign, cart);
        if (counted == 0) return Refused(RefusalCode.NoMatchingLines);
        if (campaign.Conditions.SpendMin is { } min && counted < min) return Refused(RefusalCode.SpendBelowMinimum, counted);
        if (campaign.Conditions.SpendMax is { } max && counted > max) return Refused(RefusalCode.SpendAboveMaximum, counted);
        return new(RefusalCode.None, counted, DiscountOf(campaign.Benefit, discountable), lines);
    }

    /// <summary>Splits the discount over its lines exactly, by largest remainder over the lines' subtotals; no line gets more than its subtotal.</summary>
    public void AddLineDiscounts(Cart cart, string code, string campaignId, List<LineDiscount> into)
    {
        if (Discount == 0) return;
        Span<long> weights = Lines.Length <= 64 ? stackalloc long[Lines.Length] : new long[Lines.Length];
        Span<long> parts = Lines.Length <= 64 ? stackalloc long[Lines.Length] : new long[Lines.Length];
        for (var i = 0; i < Lines.Length; i++) weights[i] = cart.Lines[Lines[i]].Subtotal;
        Allocation.LargestRemainder(Discount, weights, parts);
        for (var i = 0; i < Lines.Length; i++)
            if (parts[i] != 0) into.Add(new(cart.Lines[Lines[i]].Line, code, campaignId, parts[i]));
    }

    /// <summary>Off matching lines: those lines. Off the order: every line but the excluded ones, as soon as one line matches.</summary>
    private static (int[] Lines, long Counted, long Discountable) Scan(Campaign campaign, Cart cart)
    {
        var matcher = LineMatcher.Of(campaign.Conditions);
        var lines = new int[cart.Lines.Count];
        var count = 0;
        long counted = 0, discountable = 0;
        for (var i = 0; i < cart.Lines.Count; i++)
        {
            var line = cart.Lines[i];
            var matches = matcher.Matches(line);
            if (matches) counted = checked(counted + line.Subtotal);
            if (campaign.Benefit.OnMatchingLines ? !matches : matcher.IsExcluded(line)) continue;
            discountable = checked(discountable + line.Subtotal);
            lines[count++] = i;
        }

        return (count == lines.Length ? lines : lines[..count], counted, discountable);
    }

    private static long DiscountOf(Benefit benefit, long discountable)
    {
        var full = benefit.Type switch
        {
            BenefitType.PercentOff => Rounding.Divide((Int128)discountable * benefit.BasisPoints, 10_000, Rounding.Discount),
            BenefitType.AmountOff => benefit.AmountMinorUnits,
            _ => throw new InvalidOperationException($"A campaign with the benefit {benefit.Type} was let in."),
        };
        return Math.Min(Math.Min(full, discountable), benefit.DiscountMax ?? long.MaxValue);
    }
}
