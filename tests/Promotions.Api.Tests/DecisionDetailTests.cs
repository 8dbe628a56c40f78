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

    [Fact]
    public async Task The_smallest_change_is_for_staff_and_names_what_to_leave_out()
    {
        await using var host = await ApiHost.StartAsync(score: 0.15f);
        await SetCostsAsync(host, review: 1, goodsShare: 0);
        await host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption, "checkout");

        var answer = (await host.ExpectAsync(200, "GET", "/v1/redemptions/r-1/smallest-change")).Json;
        Assert.Equal("review", answer["status"]!.GetValue<string>());
        Assert.Null(answer["smallest"]);                                    // a model that says the same of everything: less in the cart does not help
        Assert.Equal(1, answer["looked_at"]!.GetValue<int>());
        Assert.Equal("device_attempts_24h", answer["held_by"]![0]!["feature"]!.GetValue<string>());
        Assert.StartsWith("Nothing that the customer can leave out would surely have let it pass (1 ways, up to 1 changes at once).", answer["sentence"]!.GetValue<string>(), StringComparison.Ordinal);

        await host.ExpectAsync(403, "GET", "/v1/redemptions/r-1/smallest-change", key: "checkout");
        await host.ExpectAsync(404, "GET", "/v1/redemptions/r-never/smallest-change");
    }

    [Fact]
    public async Task The_smallest_change_of_an_order_whose_goods_a_chargeback_takes_is_fewer_goods()
    {
        await using var host = await ApiHost.StartAsync(score: 0.06f);
        await SetCostsAsync(host, review: 100, goodsShare: 1);
        await host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption, "checkout");

        var answer = (await host.ExpectAsync(200, "GET", "/v1/redemptions/r-1/smallest-change")).Json;
        Assert.Equal("It would have been approved with one piece of line 1 (probability of abuse 6 %).", answer["sentence"]!.GetValue<string>());
        Assert.Equal("keep_one_piece", answer["smallest"]!["changes"]![0]!["change"]!.GetValue<string>());
        Assert.Equal(1500, answer["smallest"]!["given_up"]!["amount"]!.GetValue<long>());
        Assert.True(answer["smallest"]!["score_is_exact"]!.GetValue<bool>());
    }

    private static async Task SetCostsAsync(ApiHost host, int review, double goodsShare)
    {
        var policy = (await host.ExpectAsync(200, "GET", "/v1/policies/fraud")).Json.AsObject();
        policy.Remove("written_by");
        policy.Remove("written_at");
        policy["costs"]!["review"] = review;
        policy["costs"]!["goods_share"] = goodsShare;
        await host.ExpectAsync(200, "PUT", "/v1/policies/fraud", policy.ToJsonString());
    }
}
