using Promotions.Contracts;
using Promotions.Domain.Campaigns;
using Promotions.Ledger;

namespace Promotions.Api.Endpoints;

/// <summary>The domain's campaigns and coupons in the contract's words.</summary>
internal static class CampaignTexts
{
    public static CampaignAnswer Tell(Campaign campaign, CampaignUsage? usage)
    {
        var benefit = campaign.Benefit;
        var conditions = campaign.Conditions;
        return new(
            campaign.Id, campaign.Version, campaign.Name, Wire.Of(campaign.Distribution), campaign.Currency,
            new BenefitBody
            {
                Type = Wire.Of(benefit.Type),
                BasisPoints = benefit.Type is BenefitType.PercentOff ? benefit.BasisPoints : null,
                Amount = benefit.Type is BenefitType.AmountOff ? Money(benefit.AmountMinorUnits) : null,
                AppliesTo = benefit.OnMatchingLines ? "matching_lines" : "order",
                DiscountMax = OptionalMoney(benefit.DiscountMax),
            },
            new ConditionsBody
            {
                SpendMin = OptionalMoney(conditions.SpendMin),
                SpendMax = OptionalMoney(conditions.SpendMax),
                IncludedSkus = [.. conditions.IncludedSkus],
                ExcludedSkus = [.. conditions.ExcludedSkus],
                IncludedCategories = [.. conditions.IncludedCategories],
                ExcludedCategories = [.. conditions.ExcludedCategories],
            },
            new LimitsBody
            {
                UsesMax = campaign.Limits.UsesMax,
                UsesPerCustomerMax = campaign.Limits.UsesPerCustomerMax,
                Budget = OptionalMoney(campaign.Limits.BudgetMinorUnits),
            },
            campaign.StartsAt.ToString(), Wire.Of(campaign.EndsAt), campaign.Channels, campaign.ControlShare, campaign.Active, campaign.CreatedAt.ToString(),
            usage is null ? null : new UsageAnswer(usage.UsesHeld, usage.UsesCaptured, Money(usage.DiscountHeld), Money(usage.DiscountCaptured), usage.CouponsIssued));

        MoneyBody Money(long amount) => new(amount, campaign.Currency);
        MoneyBody? OptionalMoney(long? amount) => amount is { } present ? Money(present) : null;
    }

    public static CouponAnswer Tell(Coupon coupon) =>
        new(coupon.Code, coupon.CampaignId, coupon.CustomerId, coupon.UsesMax, coupon.Revoked, coupon.CreatedAt.ToString());
}
