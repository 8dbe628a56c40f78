using System.Globalization;

namespace Promotions.Faults.Traffic;

/// <summary>The words of the HTTP API that the traffic is made of.</summary>
internal static class Shop
{
    public const string Ten = "ten";
    public const string Single = "single";

    /// <summary>Discount that one redemption of <see cref="BudgetCampaign"/> takes. Unit: minor units.</summary>
    public const long BudgetDiscount = 500;

    public const string TenCampaign = """{"id":"ten","name":"Ten","distribution":"public","currency":"EUR","benefit":{"type":"percent_off","basis_points":1000}}""";

    public const string SingleCampaign =
        """{"id":"single","name":"Single use","distribution":"code_based","currency":"EUR","benefit":{"type":"amount_off","amount":{"amount":500,"currency":"EUR"}}}""";

    /// <param name="redemptions">How many the budget is enough for.</param>
    public static string BudgetCampaign(string id, int redemptions) => Text(
        $$$$"""{"id":"{{{{id}}}}","name":"Budget","distribution":"public","currency":"EUR","benefit":{"type":"amount_off","amount":{"amount":{{{{BudgetDiscount}}}},"currency":"EUR"}},"limits":{"budget":{"amount":{{{{redemptions * BudgetDiscount}}}},"currency":"EUR"}}}""");

    /// <summary>Single-use codes under an idempotency id.</summary>
    public static string Codes(string id, IEnumerable<string> codes) => $$"""{"id":"{{id}}","codes":[{{string.Join(',', codes.Select(code => $"\"{code}\""))}}],"uses_max":1}""";

    public static Call Redeem(string id, string customer, string redeemable, int quantity = 2)
    {
        // Each customer has a device and an address of its own, spread over networks: the traffic is to be honest, so that limits decide and not the model.
        var spread = Spread(customer);
        return new(CallKind.Redeem, id, "/v1/redemptions", Text(
            $$$$"""
            {"id":"{{{{id}}}}","channel":"web-de","customer":{"id":"{{{{customer}}}}"},"order":{"id":"so-{{{{id}}}}","currency":"EUR","items":[{"line":"1","sku":"mug","category":"kitchen","quantity":{{{{quantity}}}},"unit_price":{"amount":1500,"currency":"EUR"}}]},"redeemables":[{{{{redeemable}}}}],"context":{"device_id":"d-{{{{customer}}}}","ip":"{{{{20 + (spread & 63)}}}}.{{{{(spread >> 6) & 255}}}}.{{{{(spread >> 14) & 255}}}}.{{{{1 + ((spread >> 22) & 127)}}}}"}}
            """))
        { Customer = customer };
    }

    public static string Coupon(string code) => $$"""{"type":"coupon","code":"{{code}}"}""";

    public static string Cash(long amount) => Text($$$$"""{"type":"cash","amount":{"amount":{{{{amount}}}},"currency":"EUR"}}""");

    public static string Points(long points) => Text($$"""{"type":"points","amount":{{points}}}""");

    public static Call Capture(string id) => new(CallKind.Capture, id, $"/v1/redemptions/{id}/capture", "{}");

    public static Call Void(string id) => new(CallKind.Void, id, $"/v1/redemptions/{id}/void", """{"reason":"order is off"}""");

    public static Call Deposit(string id, string customer, long amount) => new(
        CallKind.Deposit, id, $"/v1/customers/{customer}/deposits", Text($$$$"""{"id":"{{{{id}}}}","amount":{"amount":{{{{amount}}}},"currency":"EUR"}}"""))
    { Customer = customer, Segment = "cash", Amount = amount };

    public static Call Grant(string id, string customer, long points) => new(
        CallKind.Points, id, $"/v1/customers/{customer}/points", Text($$"""{"id":"{{id}}","points":{{points}}}"""))
    { Customer = customer, Segment = "points", Amount = points };

    public static Call Order(string id, string customer, string redemption) => new(CallKind.Order, id, "/v1/orders", Text(
        $$$$"""{"channel":"web-de","customer":{"id":"{{{{customer}}}}"},"order":{"id":"{{{{id}}}}","currency":"EUR","items":[{"line":"1","sku":"mug","category":"kitchen","quantity":2,"unit_price":{"amount":1500,"currency":"EUR"}}]},"total":{"amount":2700,"currency":"EUR"},"redemption_id":"{{{{redemption}}}}"}"""));

    public static Call Return(string id, string order, string customer, long amount) => new(
        CallKind.Return, id, $"/v1/orders/{order}/returns", Text($$$$"""{"id":"{{{{id}}}}","customer_id":"{{{{customer}}}}","amount":{"amount":{{{{amount}}}},"currency":"EUR"}}"""));

    private static int Spread(string customer)
    {
        var hash = System.IO.Hashing.XxHash32.HashToUInt32(System.Text.Encoding.UTF8.GetBytes(customer));
        return (int)(hash & int.MaxValue);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
