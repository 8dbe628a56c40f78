using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Simulation.Shop;

namespace Promotions.Simulation.CompleteJourney;

/// <summary>A real grocer's year as a stream: campaigns, mailings, each household's redemptions of a day as one request, and purchases.</summary>
/// <remarks>What the data lacks is assumed and marked; DECISIONS says what. Times are taken as UTC. A campaign here is one coupon of a retailer's campaign, named
/// <c>cj-18-10000085478</c>: a campaign has one benefit and one list of products.</remarks>
public sealed class CompleteJourneyReplay : ISimulation
{
    public const string Currency = "USD";

    /// <summary>Cents off where no matching line of the sample ever had a discount.</summary>
    public const long AssumedValue = 100;

    private static readonly TimeSpan s_settleAfter = TimeSpan.FromHours(1);

    private readonly PriorityQueue<SimulatedEvent, (long At, long Number)> _planned = new();
    private readonly PriorityQueue<(RedemptionRequest Request, bool Real), (long At, long Number)> _settling = new();
    private readonly Dictionary<string, DecisionFeedback?> _feedback = new(StringComparer.Ordinal);
    private readonly Queue<SimulatedEvent> _ready = new();
    private readonly Dictionary<string, ReplayRequest> _requests = new(StringComparer.Ordinal);
    private readonly EventFactory _events;
    private long _number;

    /// <param name="folder">Holds the data's <c>.csv.gz</c> files.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="FormatException">A file is not what the data set is.</exception>
    public CompleteJourneyReplay(string folder, string apiKeyId = "complete-journey")
    {
        _events = new(apiKeyId);
        var record = new RetailerRecord(folder);
        Record = record.Table();
        var values = new CouponValues(record);
        var first = record.Campaigns.Values.Min(static one => one.StartsAt);
        var campaigns = record.Coupons.Values.OrderBy(static one => one.Code, StringComparer.Ordinal).Select(coupon => ToCampaign(coupon, record.Campaigns[coupon.CampaignId], values.Of(coupon), first)).ToList();
        AssumedValues = record.Coupons.Values.Count(coupon => values.Of(coupon) is null);
        Campaigns = campaigns.Count;
        Mailings = record.Mailings.Count;
        Plan(new CampaignsDefined(first, campaigns));
        Plan(new CouponsAdded(first, [.. record.Coupons.Values.OrderBy(static one => one.Code, StringComparer.Ordinal).Select(coupon => new Coupon(coupon.Code, IdOf(coupon), null, null, false, first))]));
        foreach (var (campaignId, household) in record.Mailings)
            Plan(_events.Engage($"cj-mail-{campaignId}-{household}", "mail", CustomerId(household), $"mailed:{campaignId}", record.Campaigns[campaignId].StartsAt));
        PlanRequestsAndOrders(record);
    }

    /// <summary>The retailer's own record, by campaign type and in all.</summary>
    public IReadOnlyList<RecordRow> Record { get; }

    /// <summary>Every request of the replay by id, for the report.</summary>
    public IReadOnlyDictionary<string, ReplayRequest> Requests => _requests;

    /// <summary>Coupons of campaigns: 1,197 of the retailer's 27 campaigns.</summary>
    public int Campaigns { get; }

    public int Mailings { get; }

    /// <summary>Campaigns whose value is <see cref="AssumedValue"/> for want of data.</summary>
    public int AssumedValues { get; }

    public Pull TryNext(out SimulatedEvent? next)
    {
        if (_ready.TryDequeue(out next)) return Pull.Event;
        var hasPlanned = _planned.TryPeek(out _, out var plannedAt);
        if (_settling.TryPeek(out var settling, out var settlesAt) && (!hasPlanned || settlesAt.CompareTo(plannedAt) < 0))
        {
            if (_feedback[settling.Request.Id] is not { } feedback) return Pull.AwaitingFeedback;
            _settling.Dequeue();
            _feedback.Remove(settling.Request.Id);
            Settle(settling.Request, settling.Real, feedback, new(settlesAt.At));
            return TryNext(out next);
        }

        if (!hasPlanned) return Pull.End;
        next = _planned.Dequeue();
        if (next is RedemptionAttempted { Request: var request })
        {
            _feedback.Add(request.Id, null);
            _settling.Enqueue((request, _requests[request.Id].RealBasket), (request.At.Plus(s_settleAfter).UnixMilliseconds, _number++));
        }

        return Pull.Event;
    }

    public void Observe(DecisionFeedback feedback)
    {
        if (!_feedback.TryGetValue(feedback.RedemptionId, out var told) || told is not null)
            throw new ArgumentException($"No attempt {feedback.RedemptionId} awaits its decision.", nameof(feedback));
        _feedback[feedback.RedemptionId] = feedback;
    }

    public EventTime? PeekTime()
    {
        if (_ready.TryPeek(out var ready)) return ready.At;
        var at = Math.Min(_planned.TryPeek(out _, out var planned) ? planned.At : long.MaxValue, _settling.TryPeek(out _, out var settling) ? settling.At : long.MaxValue);
        return at == long.MaxValue ? null : new EventTime(at);
    }

    /// <summary>A refused household bought its basket all the same: the sample says so. A completed cart was bought only as far as we let it.</summary>
    private void Settle(RedemptionRequest request, bool real, DecisionFeedback feedback, EventTime at)
    {
        var approved = feedback.Status is RedemptionStatus.Approved or RedemptionStatus.Review;
        if (approved) _ready.Enqueue(_events.Capture(request.Id, at));
        if (approved || real) _ready.Enqueue(_events.Order(request.Channel, request.Customer, request.Cart, approved ? feedback.DiscountMinorUnits : 0, approved ? request.Id : null, at));
    }

    private void PlanRequestsAndOrders(RetailerRecord record)
    {
        var baskets = record.Baskets.GroupBy(static one => (one.Household, DayOf(one.At))).ToDictionary(static one => one.Key, static one => one.ToList());
        var carts = new CartCompletion(record);
        var redeemedBaskets = new HashSet<string>();
        foreach (var day in record.Redemptions.GroupBy(static one => (one.Household, one.Day)))
        {
            var (household, at) = day.Key;
            var coupons = day.Select(one => record.Coupons[(one.CampaignId, one.Upc)]).DistinctBy(static one => one.Code).OrderBy(static one => one.Code, StringComparer.Ordinal).ToArray();
            var id = $"cj-{household}-{at.ToDateTimeOffset().ToString("yyyyMMdd", CultureInfo.InvariantCulture)}";
            var sameDay = baskets.GetValueOrDefault((household, DayOf(at))) ?? [];
            var real = sameDay.Where(basket => carts.Matches(basket, coupons) > 0).MaxBy(basket => carts.Matches(basket, coupons));
            if (real is not null) redeemedBaskets.Add(real.Id);
            var time = real?.At ?? sameDay.FirstOrDefault()?.At ?? HashedTime(household, at);
            var cart = real is not null ? ToCart(real, record) : carts.Complete($"{id}-completed", coupons);
            var store = real?.Store ?? sameDay.FirstOrDefault()?.Store;
            var request = _events.Request(
                AttemptKind.Redemption, id, store is null ? "store" : $"store-{store}", new(CustomerId(household), null), cart, EventFactory.Coupons([.. coupons.Select(static one => one.Code)]), AttemptContext.None, time);
            _requests.Add(id, new(id, real is not null, coupons.Length));
            Plan(new RedemptionAttempted(time, request, new(false, HonestKind.Recorded)));
        }

        foreach (var basket in record.Baskets)
            if (!redeemedBaskets.Contains(basket.Id)) Plan(_events.Order($"store-{basket.Store}", new(CustomerId(basket.Household), null), ToCart(basket, record), basket.Lines.Sum(static line => line.CouponDiscount), null, basket.At));
    }

    private void Plan(SimulatedEvent planned) => _planned.Enqueue(planned, (planned.At.UnixMilliseconds, _number++));

    private static Campaign ToCampaign(PrintedCoupon coupon, MailedCampaign mailed, long? value, EventTime createdAt) => new(
        IdOf(coupon), 1, $"Campaign {mailed.Id} (type {mailed.Type}), coupon {coupon.Upc}{(value is null ? ", value assumed" : "")}", Distribution.CodeBased, Currency,
        new(BenefitType.AmountOff, 0, value ?? AssumedValue, true, null), Conditions.None with { IncludedSkus = coupon.Products }, Limits.None, mailed.StartsAt, mailed.EndsAt, [], 0, "", true, createdAt);

    /// <summary>Quantity and unit price where they multiply to the line's value, else one piece of that value: cents are never lost.</summary>
    private static Cart ToCart(Basket basket, RetailerRecord record) => new(
        $"cj-{basket.Id}", Currency, [.. basket.Lines.Select((line, i) =>
        {
            var divides = line.Value % line.Quantity == 0;
            return new CartLine((i + 1).ToString(CultureInfo.InvariantCulture), line.Product, record.Categories.GetValueOrDefault(line.Product), divides ? line.Quantity : 1, divides ? line.Value / line.Quantity : line.Value);
        })], 0);

    /// <summary>A keyed hash over 08 to 22 h.</summary>
    private static EventTime HashedTime(string household, EventTime day)
    {
        var draws = Draws.For(2017, Purpose.RecordedTime, long.Parse(household, CultureInfo.InvariantCulture), day.UnixMilliseconds);
        return new(day.UnixMilliseconds + draws.Between(8 * ShopCalendar.HourMs, (22 * ShopCalendar.HourMs) - 1));
    }

    private static long DayOf(EventTime at) => at.UnixMilliseconds / ShopCalendar.DayMs;
    private static string CustomerId(string household) => $"household-{household}";
    private static string IdOf(PrintedCoupon coupon) => $"cj-{coupon.Code}";
}

/// <param name="RealBasket">The sample holds a basket of that day with an eligible product; else the cart was completed from the products.</param>
public sealed record ReplayRequest(string Id, bool RealBasket, int Coupons);
