namespace Promotions.Api.Tests;

/// <summary>Admins see why; checkout never does.</summary>
public class DecisionDetailTests
{
    private const string Redemption = """
        {"id": "r-1", "channel": "web-de", "customer": {"id": "c-1"},
         "order": {"id": "o-1", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 2, "unit_price": {"amount": 1500, "currency": "EUR"}}]}}
        """;

    [Fact]
    public async Task An_approved_redemption_tells_its_reasons_to_an_admin_only()
    {
        await using var host = await ApiHost.StartAsync();
        await host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption, "checkout");

        var risk = (await host.ExpectAsync(200, "GET", "/v1/redemptions/r-1")).Json["risk"]!;
        Assert.Equal(1.5, risk["reasons"]![0]!["contribution"]!.GetValue<double>());
        Assert.Equal("device_attempts_24h", risk["reasons"]![0]!["feature"]!.GetValue<string>());
        Assert.Null(risk["reasons_missing_because"]);
        var checkout = (await host.ExpectAsync(200, "GET", "/v1/redemptions/r-1", key: "checkout")).Json["risk"]!;
        Assert.Null(checkout["reasons"]);
        Assert.Null(checkout["score"]);
    }

    [Fact]
    public async Task When_the_model_of_the_record_is_not_loaded_the_answer_says_so()
    {
        await using var host = await ApiHost.StartAsync(modelLoaded: false);
        await host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption, "checkout");

        var risk = (await host.ExpectAsync(200, "GET", "/v1/redemptions/r-1")).Json["risk"]!;
        Assert.Empty(risk["reasons"]!.AsArray());
        Assert.Contains("(aaaaaaaaaaaa) is not loaded here", risk["reasons_missing_because"]!.GetValue<string>(), StringComparison.Ordinal);
    }
}
