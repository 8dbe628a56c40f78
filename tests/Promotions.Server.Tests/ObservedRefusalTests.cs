using System.Net;
using System.Text.Json.Nodes;

namespace Promotions.Server.Tests;

/// <summary>A refusal tells the caller nothing, and the features everything.</summary>
public class ObservedRefusalTests
{
    [Fact]
    public async Task Attempts_that_are_not_available_count_against_the_device_that_made_them()
    {
        await using var server = await RunningServer.StartAsync();
        await TestShop.OpenAsync(server);
        await ExpectAsync(server, HttpMethod.Post, "/v1/campaigns", Private("held", "\"control_share\":5000"));
        await ExpectAsync(server, HttpMethod.Post, "/v1/campaigns", Private("mine", "\"control_share\":0"));
        await ExpectAsync(server, HttpMethod.Post, "/v1/campaigns", Private("elsewhere", "\"channels\":[\"pos-17\"]"));
        await ExpectAsync(server, HttpMethod.Post, "/v1/customers/somebody/coupons", """{"campaign_id":"mine","code":"FOREIGN"}""");
        await ExpectAsync(server, HttpMethod.Post, "/v1/customers/mallory/coupons", """{"campaign_id":"elsewhere","code":"ELSEWHERE"}""");
        var withheld = await WithheldCustomerAsync(server);

        // A rule of this shop: the fifth attempt of a device in a day is blocked, whatever the model says.
        var policy = (await ExpectAsync(server, HttpMethod.Get, "/v1/policies/fraud")).AsObject();
        policy.Remove("written_by");
        policy.Remove("written_at");
        policy["hard_rules"] = new JsonArray(new JsonObject { ["name"] = "busy_device", ["feature"] = "device_attempts_24h", ["at_least"] = 5 });
        await ExpectAsync(server, HttpMethod.Put, "/v1/policies/fraud", policy.ToJsonString());

        (string Customer, string Code)[] refused = [(withheld, "HELD-" + withheld), ("mallory", "NOTHING"), ("mallory", "FOREIGN"), ("mallory", "ELSEWHERE")];
        for (var i = 0; i < refused.Length; i++)
        {
            var answer = await RedeemAsync(server, $"r-{i}", refused[i].Customer, refused[i].Code, "d-mallory");
            Assert.Equal(("rejected", "not_available"), (Text(answer, "status"), Text(answer, "reason_code")));
        }

        var fifth = await RedeemAsync(server, "r-4", "mallory", "public-ten", "d-mallory");
        Assert.Equal(("blocked", "declined"), (Text(fifth, "status"), Text(fifth, "reason_code")));
        var flag = await ExpectAsync(server, HttpMethod.Get, "/v1/flags/r-4");
        Assert.Equal("busy_device", Text(flag["redemption"]!["risk"]!, "hard_rule"));
        Assert.Equal(5, flag["redemption"]!["risk"]!["reasons"]![0]!["value"]!.GetValue<double>());
        Assert.Equal(2, flag["redemption"]!["decision"]!["policy_version"]!.GetValue<int>());
        Assert.NotEqual("blocked", Text(await RedeemAsync(server, "r-5", "anna", "public-ten", "d-anna"), "status"));
    }

    /// <summary>A customer whom the campaign's control group holds: the one whose coupon is not available although it is theirs. Asked from a device of its own.</summary>
    private static async Task<string> WithheldCustomerAsync(RunningServer server)
    {
        for (var i = 0; i < 40; i++)
        {
            var customer = $"c{i}";
            await ExpectAsync(server, HttpMethod.Post, $"/v1/customers/{customer}/coupons", $$"""{"campaign_id":"held","code":"HELD-{{customer}}"}""");
            if (Text(await RedeemAsync(server, $"try-{i}", customer, "HELD-" + customer, $"d-{i}"), "status") == "rejected") return customer;
        }

        throw new InvalidOperationException("Of 40 customers not one is in a control group of half.");
    }

    private static async Task<JsonNode> RedeemAsync(RunningServer server, string id, string customer, string code, string device) =>
        await ExpectAsync(server, HttpMethod.Post, "/v1/redemptions", TestShop.Redemption(id, customer, code, device), "checkout");

    private static async Task<JsonNode> ExpectAsync(RunningServer server, HttpMethod method, string path, string? json = null, string key = "admin")
    {
        var (status, body, _) = await server.SendAsync(method, path, json, key);
        Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Created, $"{method} {path}: {(int)status} {body?.ToJsonString()}");
        return body!;
    }

    private static string? Text(JsonNode node, string name) => node[name]?.GetValue<string>();

    private static string Private(string id, string more) => $$"""
        {"id":"{{id}}","name":"{{id}}","distribution":"private","currency":"EUR","benefit":{"type":"percent_off","basis_points":1000},{{more}}}
        """;
}
