using System.Globalization;
using System.Text.RegularExpressions;
using Promotions.Domain.Events;

namespace Promotions.Processing.Tests;

/// <summary>What happened, as a person would write it down; and what a reason's words mean, read from the words alone.</summary>
/// <remarks>Knows neither the feature registry nor the vector: a sentence that names a wrong window, entity or count is found, also where the number behind it is right.</remarks>
internal sealed partial class ClaimOracle
{
    private const long Minute = 60_000, Hour = 60 * Minute, Day = 24 * Hour;

    private readonly List<Attempt> _attempts = [];
    private readonly List<(string Customer, long At, long Paid)> _orders = [];
    private readonly List<(string Customer, long At, long Amount)> _returns = [];
    private readonly List<(string Judged, long At, bool Abuse)> _labels = [];
    private readonly HashSet<string> _codes = new(StringComparer.Ordinal);

    private sealed record Attempt(RedemptionRequest Request, bool Unknown)
    {
        public bool Refused { get; set; }
        public long At => Request.At.UnixMilliseconds;
        public string[] Codes => CodesOf(Request);
    }

    public void CodeExists(string code) => _codes.Add(code);
    public void Ordered(OrderPlaced order) => _orders.Add((order.Customer.Id, order.At.UnixMilliseconds, order.Total));
    public void Returned(OrderReturned back) => _returns.Add((back.CustomerId, back.At.UnixMilliseconds, back.Amount));
    public void Labelled(LabelRecorded label) => _labels.Add((label.RedemptionId, label.At.UnixMilliseconds, label.Abuse));

    /// <summary>Before its decision is asked about; its outcome follows by <see cref="Decided"/>, after.</summary>
    public void Attempted(RedemptionRequest request) => _attempts.Add(new(request, CodesOf(request).Any(code => !_codes.Contains(code))));
    public void Decided(string id, bool refused) => _attempts.Last(a => a.Request.Id == id).Refused = refused;

    /// <returns>What the log says instead, or null where the claim is true.</returns>
    /// <param name="claim">A reason's sentence up to its comparison.</param>
    /// <param name="entity"><c>device:abc</c>, or null for the request itself.</param>
    /// <param name="discount">Given by the decision, minor units.</param>
    /// <param name="tender">Paid with balances, minor units.</param>
    public string? Refute(string claim, string? entity, RedemptionRequest request, long discount, long tender)
    {
        if (claim == "The request does not say.") return request.Customer.RegisteredAt is null || request.Origin == default ? null : "the request does say";
        if (claim.StartsWith("The request names no ", StringComparison.Ordinal)) return Named(claim["The request names no ".Length..^1], request) is null ? null : "the request names one";
        var said = entity is null ? OfRequest(claim, request, discount, tender) : OfEntity(claim, entity, request);
        if (said is not { } expected) return "no such kind of claim is known";
        return expected.Agrees ? null : expected.Truth;
    }

    private (bool Agrees, string Truth)? OfRequest(string claim, RedemptionRequest request, long discount, long tender)
    {
        var subtotal = request.Cart.Lines.Sum(line => line.Quantity * line.UnitPrice);
        var at = request.At.ToDateTimeOffset();
        return claim switch
        {
            _ when Between(claim, "the cart is worth ", "") is { } amount => Number(amount, subtotal),
            _ when Between(claim, "the discount is ", " of the cart") is { } share => Number(share, subtotal == 0 ? 0 : (double)discount / subtotal),
            _ when Between(claim, "the discount is ", "") is { } amount => Number(amount, discount),
            _ when Between(claim, "balances pay ", " of the cart") is { } share => Number(share, subtotal == 0 ? 0 : (double)tender / subtotal),
            _ when Between(claim, "the cart has ", " lines") is { } lines => Number(lines, request.Cart.Lines.Count),
            _ when Between(claim, "the cart has ", " pieces") is { } pieces => Number(pieces, request.Cart.Lines.Sum(line => line.Quantity)),
            _ when Between(claim, "", " coupons and balances at once") is { } count => Number(count, request.Redeemables.Count),
            _ when Between(claim, "", " codes of this request do not exist") is { } count => Number(count, CodesOf(request).Count(code => !_codes.Contains(code))),
            _ when Between(claim, "a trial without purchase: ", "") is { } answer => Text(answer, request.Kind is AttemptKind.Validation ? "yes" : "no"),
            _ when Between(claim, "the account is ", " old") is { } age && request.Customer.RegisteredAt is { } made => Number(age, request.At.UnixMilliseconds - made.UnixMilliseconds),
            _ when Between(claim, "it is hour ", " (UTC)") is { } hour => Number(hour, at.Hour),
            _ when Between(claim, "it is ", "") is { } day => Text(day, at.DayOfWeek.ToString()),
            _ => null,
        };
    }

    private (bool Agrees, string Truth)? OfEntity(string claim, string entity, RedemptionRequest request)
    {
        var (kind, name) = (entity[..entity.IndexOf(':', StringComparison.Ordinal)], entity[(entity.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        var by = kind switch
        {
            "customer" => "by this customer",
            "device" => "from this device",
            "ip" => "from this ip",
            "network" => "from this network",
            "coupon" => "with this code",
            "payment_token" => "with this payment method",
            "address" => "for this address",
            _ => throw new InvalidOperationException(kind),
        };
        if (kind == "coupon" ? !CodesOf(request).Contains(name) : Named(kind, request) != name) return (false, $"the request names no {entity}");
        var now = request.At.UnixMilliseconds;
        var mine = _attempts.Where(a => kind == "coupon" ? a.Codes.Contains(name) : Named(kind, a.Request) == name).ToList();
        var before = mine.Where(a => a.Request.Id != request.Id).ToList();

        if (claim.StartsWith("Nothing to count yet: ", StringComparison.Ordinal))
            return claim.Contains("time since the attempt before", StringComparison.Ordinal) ? (before.Count == 0, "there was an attempt before")
                : claim.Contains("least speed", StringComparison.Ordinal) ? (request.Origin == default, "the country is known") : null;
        if (Between(claim, $"the first attempt {by} was ", " ago") is { } first) return Number(first, now - mine.Min(a => a.At));
        if (Between(claim, $"the last attempt {by} was ", " ago") is { } last) return before.Count == 0 ? (false, "there was none") : Number(last, now - before.Max(a => a.At));
        if (Between(claim, $"attempts {by} come ", " times as often as in the week before") is { } times)
            return Number(times, mine.Count(a => a.At > now - (10 * Minute)) / Math.Max(1.0, mine.Count(a => a.At > now - (7 * Day)) * (10.0 * Minute / (7 * Day))));
        if (Between(claim, "", $" of the reviewed attempts {by} were abuse (smoothed, 30 d)") is { } rate)
        {
            var ids = mine.Select(a => a.Request.Id).ToHashSet(StringComparer.Ordinal);
            var labels = _labels.Where(l => ids.Contains(l.Judged) && l.At > now - (30 * Day)).ToList();
            return Number(rate, (labels.Count(l => l.Abuse) + 0.1) / (labels.Count + 10));
        }

        if (Counted().Match(claim) is not { Success: true } counted || counted.Groups["by"].Value != by) return null;
        var from = now - Window(counted.Groups["window"].Value);
        var within = mine.Where(a => a.At > from).ToList();
        double? value = counted.Groups["what"].Value switch
        {
            "attempts" => within.Count,
            "refused attempts" => within.Count(a => a.Refused),
            "accounts redeemed" => Distinct(a => [a.Request.Customer.Id]),
            "devices used" => Distinct(a => [a.Request.Context.DeviceId]),
            "ips used" => Distinct(a => [a.Request.Context.Ip]),
            "codes tried" => Distinct(a => a.Codes),
            "codes guessed wrongly" => within.Where(a => a.Unknown && a.Request.Id != request.Id).SelectMany(a => a.Codes).Distinct(StringComparer.Ordinal).Count(),
            "orders" => _orders.Count(o => o.Customer == name && o.At > from),
            "paid for orders" => _orders.Where(o => o.Customer == name && o.At > from).Sum(o => o.Paid),
            "of orders returned" => _returns.Where(r => r.Customer == name && r.At > from).Sum(r => r.Amount),
            "" => within.Sum(a => a.Request.Cart.Lines.Sum(line => line.Quantity * line.UnitPrice)),
            _ => null,
        };
        return value is null ? null : Number(counted.Groups["value"].Value, value.Value);

        int Distinct(Func<Attempt, string?[]> others) => within.SelectMany(others).Where(one => !string.IsNullOrEmpty(one)).Distinct(StringComparer.Ordinal).Count();
    }

    private static string[] CodesOf(RedemptionRequest request) =>
        [.. request.Redeemables.Where(one => one.Type is RedeemableType.Coupon && !string.IsNullOrEmpty(one.Code)).Select(one => one.Code!).Distinct(StringComparer.Ordinal)];

    private static string? Named(string kind, RedemptionRequest request) => kind switch
    {
        "customer" => request.Customer.Id,
        "device" => request.Context.DeviceId,
        "ip" => request.Context.Ip,
        "network" => request.Context.Ip is { } ip ? ip[..ip.LastIndexOf('.')] + ".0/24" : null,
        "coupon" => CodesOf(request).FirstOrDefault(),
        "payment_token" or "payment token" => request.Context.PaymentToken,
        "address" => request.Context.AddressId,
        _ => throw new InvalidOperationException(kind),
    };

    private static string? Between(string claim, string start, string end) =>
        claim.Length > start.Length + end.Length && claim.StartsWith(start, StringComparison.Ordinal) && claim.EndsWith(end, StringComparison.Ordinal) ? claim[start.Length..^end.Length] : null;

    private static (bool Agrees, string Truth) Text(string said, string truth) => (said == truth, truth);

    /// <summary>A number agrees within half of its last printed digit: "2.4 h" stands for all that rounds to it. Integers therefore agree exactly.</summary>
    /// <param name="truth">Money in minor units, time in milliseconds, shares from 0 to 1, else as counted.</param>
    private static (bool Agrees, string Truth) Number(string said, double truth)
    {
        var match = Quantity().Match(said);
        if (!match.Success) return (false, $"'{said}' is no quantity; the log gives {truth}");
        var digits = match.Groups["number"].Value.Replace(",", "", StringComparison.Ordinal);
        var unit = match.Groups["unit"].Value switch { "s" => 1_000d, "min" => Minute, "h" => Hour, "days" => Day, "%" => 0.01, "EUR" => 100, "" => 1, var other => throw new InvalidOperationException(other) };
        var hasFraction = match.Groups["unit"].Value != "EUR" && match.Groups["unit"].Value != "";
        var half = digits.Contains('.') || hasFraction ? (match.Groups["unit"].Value == "EUR" ? 0.005 : 0.05) : match.Groups["unit"].Value == "EUR" ? 0.005 : 0;
        var value = double.Parse(digits, CultureInfo.InvariantCulture);
        // float32 keeps 24 bits: a time of weeks in milliseconds is known to some hundred of them.
        return (Math.Abs(value - (truth / unit)) <= half + (Math.Abs(truth / unit) * 2e-7) + 1e-12, $"{truth / unit:0.####} {match.Groups["unit"].Value}");
    }

    private static long Window(string text) => text switch
    {
        "1 min" => Minute,
        "10 min" => 10 * Minute,
        "1 h" => Hour,
        "24 h" => Day,
        "7 d" => 7 * Day,
        "30 d" => 30 * Day,
        _ => throw new InvalidOperationException(text),
    };

    [GeneratedRegex(@"^(?<number>[0-9][0-9,]*(\.[0-9]+)?) ?(?<unit>s|min|h|days|%|EUR|)$")]
    private static partial Regex Quantity();

    [GeneratedRegex("^(carts worth )?(?<value>[0-9][0-9,.]*( EUR)?) ?(?<what>attempts|refused attempts|accounts redeemed|devices used|ips used|codes tried|codes guessed wrongly|orders|paid for orders|of orders returned|) ?(?<by>by this customer|from this device|from this ip|from this network|with this code|with this payment method|for this address) in (?<window>.+)$")]
    private static partial Regex Counted();
}
