using Promotions.Domain;
using Promotions.Domain.Campaigns;

namespace Promotions.Analytics.Results;

/// <summary>What one campaign caused, with everything needed to read the numbers rightly.</summary>
/// <remarks>Money is in minor units of <see cref="Currency"/>: whole numbers where it is a sum of facts, fractions where it is a mean or an estimate.
/// No member is ever NaN or infinite: a number that cannot be had is null, and the reason stands beside it.</remarks>
/// <param name="ReturnsHandling">How returns enter, in a sentence.</param>
/// <param name="DiscountCost">Discount given by captured redemptions.</param>
/// <param name="DiscountHeld">Discount reserved by redemptions neither captured nor released yet; not part of the cost.</param>
/// <param name="Daily">One point per UTC day from the first trigger to the window's end or as-of, oldest first. Empty before the first trigger.</param>
public sealed record CampaignResult(
    string CampaignId,
    string Name,
    string Currency,
    ResultWindow Window,
    Freshness Freshness,
    string ReturnsHandling,
    RedemptionFunnel Redemptions,
    ArmResult Treated,
    ArmResult Control,
    EffectResult Effect,
    long DiscountCost,
    long DiscountHeld,
    SampleRatioCheck SampleRatio,
    IReadOnlyList<DailyPoint> Daily);

/// <summary>Which sales count: a customer's orders from the first trigger on, until <paramref name="EndsAt"/>.</summary>
/// <param name="StartsAt">Inclusive: the campaign's start.</param>
/// <param name="EndsAt">Exclusive: the end of the UTC day in which the campaign ends; null while it has no end.</param>
/// <param name="Population">Who is compared, in a sentence.</param>
public sealed record ResultWindow(EventTime StartsAt, EventTime? EndsAt, string Population);

/// <param name="AsOf">Event time of the newest fact that ClickHouse holds; null when it holds none.</param>
/// <param name="OutboxPosition">Last position of the ledger's outbox that ClickHouse holds; 0 for none.</param>
/// <param name="OutboxBehind">Positions the ledger has committed beyond it; null when the ledger was not asked.</param>
public sealed record Freshness(EventTime? AsOf, long OutboxPosition, long? OutboxBehind);

/// <summary>A two-sided 95 % interval around an estimate.</summary>
public sealed record IntervalEstimate(double Value, double Low, double High);

/// <summary>A share of a stated whole, with Wilson's 95 % interval.</summary>
/// <param name="Denominator">What <paramref name="Of"/> counts: <c>coupons_issued</c>, or <c>treated_customers</c> where the campaign hands out no single-use coupons, or <c>customers_attempted</c> where it has no control group either.</param>
/// <param name="Interval">Null when <paramref name="Of"/> is 0; then <paramref name="TooLittleData"/> says so.</param>
public sealed record RateEstimate(long Count, long Of, string Denominator, IntervalEstimate? Interval, string? TooLittleData);

/// <param name="Issued">Coupons made and not revoked.</param>
/// <param name="Attempted">Redemptions that named the campaign, whatever became of them.</param>
/// <param name="Approved">Let through, flagged ones (<paramref name="Review"/>) not counted in.</param>
/// <param name="Redeemed">Redemptions captured.</param>
/// <param name="RedemptionRate">Distinct coupons (or customers) that were redeemed, of the stated denominator.</param>
public sealed record RedemptionFunnel(
    long Issued, long Attempted, long Approved, long Review, long Blocked, long Rejected, long Redeemed, RateEstimate RedemptionRate);

/// <summary>One arm, intention to treat: every customer ever triggered, the blocked ones included.</summary>
/// <param name="Buyers">Customers with at least one order in the window.</param>
/// <param name="Sales">Minor units, returns taken off.</param>
/// <param name="SalesPerCustomer">Mean with its own 95 % interval; null with fewer than two customers.</param>
/// <param name="GhostOffers">Offers withheld from control customers who would have got one; 0 for treated.</param>
public sealed record ArmResult(Arm Arm, long Customers, long Buyers, long Orders, long Sales, IntervalEstimate? SalesPerCustomer, long GhostOffers);

/// <summary>Treated against control.</summary>
/// <param name="Test">What the interval and p value test: <c>welch_absolute</c>, the difference of mean sales per customer in money.</param>
/// <param name="Difference">Treated − control, minor units per customer.</param>
/// <param name="PValue">Two-sided, of no difference.</param>
/// <param name="IncrementalSales">The difference times the treated customers: minor units.</param>
/// <param name="RelativeLift">The difference over control's mean, descriptive: its own test can disagree with the absolute one. Null when control's mean is not positive.</param>
/// <param name="IncrementalSalesPerDiscount">Incremental sales for one unit of discount given; null where none was given.</param>
/// <param name="TooLittleData">Why there is no number, or null. Then all estimates are null.</param>
public sealed record EffectResult(
    string Test,
    IntervalEstimate? Difference,
    double? PValue,
    double? StandardError,
    double? DegreesOfFreedom,
    IntervalEstimate? IncrementalSales,
    double? RelativeLift,
    double? IncrementalSalesPerDiscount,
    string? TooLittleData);

/// <summary>Are the arms as large as the control share says? A mismatch means the comparison is broken: show it before any effect.</summary>
/// <param name="ExpectedControlShare">0 to 1, weighted over campaign versions by the customers each assigned.</param>
/// <param name="PValue">Chi squared, one degree; null without a control group or customers.</param>
/// <param name="Mismatch">p below 0.001.</param>
public sealed record SampleRatioCheck(long Treated, long Control, double ExpectedControlShare, double? PValue, bool Mismatch);

/// <summary>The numbers as they stood at the end of a day, with what is known now: later returns restate the day of their order.</summary>
/// <param name="TreatedCustomers">Triggered up to the end of the day.</param>
/// <param name="Treated">Cumulative sales per customer with the band of its mean; null with fewer than two customers.</param>
/// <param name="Difference">Treated − control with Welch's interval; null when too little data.</param>
public sealed record DailyPoint(
    DateOnly Day,
    long TreatedCustomers,
    long ControlCustomers,
    IntervalEstimate? Treated,
    IntervalEstimate? Control,
    IntervalEstimate? Difference);
