using System.Text;
using System.Text.Json;

namespace Promotions.Benchmarks.Http;

/// <summary>Redemptions of one public code by 20,000 customers, each with a device, an address and a network of its own: bodies for the load client.</summary>
internal static class RedemptionTargets
{
    private const int Customers = 20_000;

    public const string Campaign = """{"id":"public-ten","name":"Ten","distribution":"public","currency":"EUR","benefit":{"type":"percent_off","basis_points":1000}}""";

    public static string Body(string id, int customer, string sku, int category, int quantity, int cents) => $$"""
        {"id":"{{id}}","channel":"web-de","customer":{"id":"c-{{customer}}"},"order":{"id":"o-{{id}}","currency":"EUR","items":[{"line":"1","sku":"{{sku}}","category":"cat-{{category}}","quantity":{{quantity}},"unit_price":{"amount":{{cents}},"currency":"EUR"} }]},"redeemables":[{"type":"coupon","code":"public-ten"}],"context":{"device_id":"d-{{customer}}","ip":"10.{{customer % 200}}.{{customer / 200 % 250}}.{{customer % 7}}","payment_token":"p-{{customer}}","address_id":"a-{{customer / 2}}"} }
        """;

    /// <returns>Lines of vegeta's JSON target format.</returns>
    public static IEnumerable<string> Make(int port, string key, string run, int count)
    {
        var random = new Random(count);
        for (var i = 0; i < count; i++)
        {
            var customer = random.Next(Customers);
            var body = Body($"{run}-{i}", customer, $"sku-{random.Next(500)}", random.Next(20), random.Next(1, 4), random.Next(500, 9_000));
            yield return JsonSerializer.Serialize(new
            {
                method = "POST",
                url = $"http://127.0.0.1:{port}/v1/redemptions",
                body = Convert.ToBase64String(Encoding.UTF8.GetBytes(body)),
                header = new Dictionary<string, string[]> { ["Authorization"] = [$"Bearer {key}"], ["Content-Type"] = ["application/json"] },
            });
        }
    }
}
