using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Campaigns;

namespace Promotions.Simulation.Shop;

/// <summary>How a coupon that worked changes its customer until the campaign ends.</summary>
/// <param name="VisitLift">0.3: 30 % more visits.</param>
/// <param name="BasketLift">0.1: baskets 10 % bigger.</param>
internal readonly record struct Effect(double VisitLift, double BasketLift);

/// <summary>What the simulated shop runs.</summary>
internal sealed class ShopCampaigns
{
    public const string WelcomeCode = "WELCOME10";
    public const string InfluencerCode = "MILA20";
    public const string PartnerCode = "PARTNER25";
    public const string EndedCode = "AUTUMN15";
    public const string SeasonId = "season8";
    public const string SeasonCode = "SEASON8";
    public const int InfluencerDay = 20;
    private const int ComebackCycles = 3;
    private const double ComebackShare = 0.25;
    private const double GiftShare = 0.02;

    private readonly SimulationOptions _options;
    private readonly EventTime _start;

    public ShopCampaigns(SimulationOptions options, EventTime start)
    {
        (_options, _start) = (options, start);
        var slack = options.SlackLimits;
        Season = Make(SeasonId, "Season: 8 % off from 15 EUR", Distribution.Public, Percent(800, 3_000), 1_500, new(null, slack ? null : 3, slack ? null : Budget(40_000_00)), 10, 120, options.ControlShare);
        Comeback = [.. Enumerable.Range(0, ComebackCycles).Select(cycle => Make(
            $"comeback-{cycle + 1}", $"Come back {cycle + 1}: 15 % off for invited members", Distribution.Private, Percent(1_500, 4_000), 1_000,
            new(null, slack ? null : 1, slack ? null : Budget(60_000_00)), 5 + (40 * cycle), 35 + (40 * cycle), options.ControlShare))];
        All =
        [
            Make("welcome", "Welcome: 10 EUR off the first order from 20 EUR", Distribution.CodeBased, Amount(1_000), 2_000, new(null, 1, null), 0, 180, 0),
            Make("mila", "Mila's code: 20 % off, at most 20 EUR", Distribution.CodeBased, Percent(2_000, 2_000), null, new(null, 2, null), InfluencerDay, 120, 0),
            Make("partner", "For a partner's staff: 25 % off", Distribution.CodeBased, Percent(2_500, 5_000), null, new(null, null, null), 0, 180, 0),
            Make("gift", "Gift codes worth 20 EUR", Distribution.CodeBased, Amount(2_000), null, new(null, null, null), 0, 180, 0),
            Make("autumn", "Autumn: 15 % off", Distribution.CodeBased, Percent(1_500, null), null, Limits.None, -60, -1, 0),
            Season,
            .. Comeback,
        ];
    }

    public Campaign Season { get; }
    public IReadOnlyList<Campaign> Comeback { get; }
    public IReadOnlyList<Campaign> All { get; }

    public static Effect EffectOf(string campaignId) => campaignId == SeasonId ? new(0.25, 0.06) : campaignId.StartsWith("comeback-", StringComparison.Ordinal) ? new(0.45, 0.12) : default;

    public IReadOnlyList<Coupon> OpeningCoupons(int mailed)
    {
        var coupons = new List<Coupon>
        {
            Code(WelcomeCode, "welcome"), Code(InfluencerCode, "mila"), Code(PartnerCode, "partner"), Code(EndedCode, "autumn"),
        };
        for (var i = 0; i < mailed; i++)
            if (GiftCodeOf(i) is { } code) coupons.Add(new(code, "gift", null, 1, false, _start));
        return coupons;

        Coupon Code(string code, string campaign) => new(code, campaign, null, null, false, _start);
    }

    public IReadOnlyList<Coupon> ComebackCoupons(int cycle, Population population)
    {
        var coupons = new List<Coupon>();
        for (var i = 0; i < population.Mailed; i++)
            if (ComebackCodeOf(i, cycle) is { } code) coupons.Add(new(code, Comeback[cycle].Id, population.CustomerId(i), 1, false, Comeback[cycle].StartsAt));
        return coupons;
    }

    /// <summary>The coupon that mail brought this member, or null: a quarter of all members each time.</summary>
    public string? ComebackCodeOf(int index, int cycle)
    {
        if (index >= Mailed) return null;
        var draws = Draws.For(_options.Seed, Purpose.Mailing, index, cycle);
        return draws.Chance(ComebackShare) ? string.Create(CultureInfo.InvariantCulture, $"{_options.IdPrefix.ToUpperInvariant()}BACK{cycle + 1}-{index:X6}{draws.Next() >> 44:X5}") : null;
    }

    /// <summary>The gift code that somebody bought for this person, or null.</summary>
    public string? GiftCodeOf(int index)
    {
        if (index >= Mailed) return null;
        var draws = Draws.For(_options.Seed, Purpose.GiftCode, index);
        return draws.Chance(GiftShare) ? string.Create(CultureInfo.InvariantCulture, $"{_options.IdPrefix.ToUpperInvariant()}GIFT-{index:X6}{draws.Next() >> 44:X5}") : null;
    }

    private int Mailed => Math.Min(_options.MailedCustomers ?? _options.Customers, _options.Customers);

    private Campaign Make(string id, string name, Distribution distribution, Benefit benefit, long? spendMin, Limits limits, int fromDay, int toDay, int controlShare) => new(
        id, 1, name, distribution, Assortment.Currency, benefit, Conditions.None with { SpendMin = spendMin }, limits, Day(fromDay), Day(toDay), [],
        controlShare, controlShare == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{id}-{_options.Seed:x16}"), true, _start);

    /// <summary>In whole thousands, as people set budgets.</summary>
    private long Budget(long minorUnits) => (long)Math.Ceiling(minorUnits * _options.BudgetFactor / 1_000_00) * 1_000_00;

    private EventTime Day(int day) => _start.Plus(TimeSpan.FromDays(day));

    private static Benefit Percent(int basisPoints, long? max) => new(BenefitType.PercentOff, basisPoints, 0, false, max);
    private static Benefit Amount(long amount) => new(BenefitType.AmountOff, 0, amount, false, null);
}
