using Promotions.Domain.Amounts;

namespace Promotions.Domain.Campaigns;

/// <summary>Something wrong with a campaign's definition.</summary>
/// <param name="Field">JSON pointer, as the API names it: <c>/benefit/basis_points</c>.</param>
/// <param name="Code">Stable: <c>out_of_range</c> for a value of its own, <c>contradiction</c> for one that does not go with another.</param>
/// <param name="Detail">A sentence for the admin.</param>
public sealed record CampaignProblem(string Field, string Code, string Detail);

/// <summary>What a campaign must be for the engine to price with it, however it came in.</summary>
public static class CampaignRules
{
    /// <summary>Half of the customers: beyond it a holdout costs more than it measures.</summary>
    public const int ControlShareMax = 5_000;

    private const string Contradiction = "contradiction";

    /// <returns>All problems, in the order of the fields; empty when there is none.</returns>
    public static IReadOnlyList<CampaignProblem> Validate(Campaign campaign)
    {
        var problems = new List<CampaignProblem>();
        Require(Identifier.IsValid(campaign.Id), "/id", "1 to 64 of A-Z a-z 0-9 . _ : -");
        Require(campaign.Version >= 1, "/version", "The first version is 1.");
        Require(!string.IsNullOrWhiteSpace(campaign.Name), "/name", "Name the campaign.");
        Require(campaign.Distribution is Distribution.Public or Distribution.Private or Distribution.CodeBased, "/distribution", "Must be public, private or code_based.");
        Require(Iso4217.DigitsOf(campaign.Currency) is not null, "/currency", "Must be an ISO 4217 code in upper case.");
        ValidateBenefit(campaign.Benefit);
        ValidateConditions(campaign.Conditions);
        Require(campaign.Limits.UsesMax is null or >= 1, "/limits/uses_max", "At least 1, or none.");
        Require(campaign.Limits.UsesPerCustomerMax is null or >= 1, "/limits/uses_per_customer_max", "At least 1, or none.");
        Require(campaign.Limits.BudgetMinorUnits is null or >= 1, "/limits/budget", "At least 1 minor unit, or none.");
        Require(campaign.EndsAt is not { } end || end > campaign.StartsAt, "/ends_at", "Must be after starts_at.", Contradiction);
        Require(campaign.Channels.All(channel => Identifier.IsValid(channel)), "/channels", "A channel is 1 to 64 of A-Z a-z 0-9 . _ : -");
        Require(campaign.ControlShare is >= 0 and <= ControlShareMax, "/control_share", "0 to 5,000 basis points.");
        Require(campaign.ControlShare == 0 || campaign.Distribution is not Distribution.CodeBased, "/control_share",
            "Codes that anybody may bring cannot be withheld from some: the share must be 0.", Contradiction);
        Require(campaign.ControlShare == 0 || campaign.Salt.Length >= 8, "/salt", "A control group needs a salt of at least 8 characters.");
        return problems;

        void ValidateBenefit(Benefit benefit)
        {
            switch (benefit.Type)
            {
                case BenefitType.PercentOff:
                    Require(benefit.BasisPoints is >= 1 and <= 10_000, "/benefit/basis_points", "1 to 10,000: 1,000 is 10 %.");
                    Require(benefit.AmountMinorUnits == 0, "/benefit/amount", "percent_off has no amount.", Contradiction);
                    break;
                case BenefitType.AmountOff:
                    Require(benefit.AmountMinorUnits >= 1, "/benefit/amount", "At least 1 minor unit.");
                    Require(benefit.BasisPoints == 0, "/benefit/basis_points", "amount_off has no basis points.", Contradiction);
                    break;
                default:
                    Require(false, "/benefit/type", "Must be percent_off or amount_off.");
                    break;
            }

            Require(benefit.DiscountMax is null or >= 1, "/benefit/discount_max", "At least 1 minor unit, or none.");
        }

        void ValidateConditions(Conditions conditions)
        {
            Require(conditions.SpendMin is null or >= 0, "/conditions/spend_min", "Not negative.");
            Require(conditions.SpendMax is null or >= 0, "/conditions/spend_max", "Not negative.");
            Require(!(conditions.SpendMax < conditions.SpendMin), "/conditions/spend_max", "At least spend_min.", Contradiction);
            Require(!conditions.IncludedSkus.Intersect(conditions.ExcludedSkus).Any(), "/conditions/excluded_skus", "Names a sku that is also included.", Contradiction);
            Require(!conditions.IncludedCategories.Intersect(conditions.ExcludedCategories).Any(), "/conditions/excluded_categories", "Names a category that is also included.", Contradiction);
        }

        void Require(bool met, string field, string detail, string code = "out_of_range")
        {
            if (!met) problems.Add(new(field, code, detail));
        }
    }
}
