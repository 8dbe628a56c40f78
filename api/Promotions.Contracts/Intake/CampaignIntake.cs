using Promotions.Domain;
using Promotions.Domain.Campaigns;

namespace Promotions.Contracts.Intake;

/// <summary>From an admin's campaign to the domain's.</summary>
public static class CampaignIntake
{
    /// <param name="version">The one to be made.</param>
    /// <param name="salt">Of the first version.</param>
    public static Campaign? Read(CampaignBody body, string id, int version, string salt, EventTime startsWhenLeftOut, EventTime createdAt, FieldErrors errors)
    {
        var name = Check.Text(errors, body.Name, "/name", Bounds.NameMax);
        var distribution = Wire.ParseDistribution(body.Distribution);
        if (distribution is Distribution.None) RefuseWord(errors, body.Distribution, "/distribution", "Must be public, private or code_based.");
        var currency = Check.Currency(errors, body.Currency, "/currency");
        var benefit = Benefit(body.Benefit, currency, errors);
        var conditions = Conditions(body.Conditions, currency, errors);
        var limits = Limits(body.Limits, currency, errors);
        var startsAt = Check.OptionalTime(errors, body.StartsAt, "/starts_at") ?? startsWhenLeftOut;
        var endsAt = Check.OptionalTime(errors, body.EndsAt, "/ends_at");
        var channels = Check.Ids(errors, body.Channels, "/channels", Bounds.ListMax);
        var controlShare = (int)(Check.OptionalWhole(errors, body.ControlShare, "/control_share", 0, CampaignRules.ControlShareMax) ?? 0);
        if (errors.Any) return null;

        // What each value may be is checked above, as the body spells it; whether they make a campaign is the domain's to say.
        var campaign = new Campaign(id, version, name, distribution, currency, benefit!, conditions, limits, startsAt, endsAt, channels, controlShare, salt, body.Active ?? true, createdAt);
        foreach (var problem in CampaignRules.Validate(campaign)) errors.Add(problem.Field, problem.Code, problem.Detail);
        return errors.Any ? null : campaign;
    }

    private static Benefit? Benefit(BenefitBody? body, string currency, FieldErrors errors)
    {
        if (body is null)
        {
            errors.Add("/benefit", "required", "Is missing.");
            return null;
        }
        var type = Wire.ParseBenefitType(body.Type);
        var basisPoints = 0;
        var amount = 0L;
        switch (type)
        {
            case BenefitType.PercentOff:
                basisPoints = (int)Check.Whole(errors, body.BasisPoints, "/benefit/basis_points", 1, 10_000);
                if (body.Amount is not null) errors.Add("/benefit/amount", "not_allowed", "percent_off has basis_points.");
                break;
            case BenefitType.AmountOff:
                amount = Check.Money(errors, body.Amount, currency, "/benefit/amount", 1, Bounds.AmountMax);
                if (body.BasisPoints is not null) errors.Add("/benefit/basis_points", "not_allowed", "amount_off has an amount.");
                break;
            default:
                RefuseWord(errors, body.Type, "/benefit/type", "Must be percent_off or amount_off.");
                break;
        }
        if (body.AppliesTo is not (null or "order" or "matching_lines")) RefuseWord(errors, body.AppliesTo, "/benefit/applies_to", "Must be order or matching_lines.");
        var discountMax = Check.OptionalMoney(errors, body.DiscountMax, currency, "/benefit/discount_max", 1, Bounds.AmountMax);
        return new(type, basisPoints, amount, body.AppliesTo is "matching_lines", discountMax);
    }

    private static Conditions Conditions(ConditionsBody? body, string currency, FieldErrors errors)
    {
        if (body is null) return Domain.Campaigns.Conditions.None;
        var spendMin = Check.OptionalMoney(errors, body.SpendMin, currency, "/conditions/spend_min", 0, Bounds.AmountMax);
        var spendMax = Check.OptionalMoney(errors, body.SpendMax, currency, "/conditions/spend_max", 0, Bounds.AmountMax);
        return new(
            spendMin, spendMax,
            Check.Texts(errors, body.IncludedSkus, "/conditions/included_skus", Bounds.ListMax),
            Check.Texts(errors, body.ExcludedSkus, "/conditions/excluded_skus", Bounds.ListMax),
            Check.Texts(errors, body.IncludedCategories, "/conditions/included_categories", Bounds.ListMax),
            Check.Texts(errors, body.ExcludedCategories, "/conditions/excluded_categories", Bounds.ListMax));
    }

    private static Limits Limits(LimitsBody? body, string currency, FieldErrors errors) => body is null
        ? Domain.Campaigns.Limits.None
        : new(
            Check.OptionalWhole(errors, body.UsesMax, "/limits/uses_max", 1, int.MaxValue),
            (int?)Check.OptionalWhole(errors, body.UsesPerCustomerMax, "/limits/uses_per_customer_max", 1, int.MaxValue),
            Check.OptionalMoney(errors, body.Budget, currency, "/limits/budget", 1, Bounds.AmountMax));

    private static void RefuseWord(FieldErrors errors, string? value, string pointer, string detail) =>
        errors.Add(pointer, value is null ? "required" : "unknown_value", detail);
}
