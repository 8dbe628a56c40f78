namespace Promotions.Api.Tests;

/// <summary>The domain's rules of what a campaign must be hold for what comes over HTTP.</summary>
public class CampaignRulesTests
{
    private const string Good = """
        {"id":"c-1","name":"One","distribution":"code_based","currency":"EUR","benefit":{"type":"percent_off","basis_points":1000},
         "conditions":{"spend_min":{"amount":100,"currency":"EUR"},"spend_max":{"amount":200,"currency":"EUR"},"included_skus":["mug"],"excluded_skus":["tea"]},
         "starts_at":"2026-01-01T00:00:00Z","ends_at":"2026-02-01T00:00:00Z","control_share":0}
        """;

    [Theory]
    [InlineData("2026-02-01", "2026-01-01", "/ends_at")]
    [InlineData("\"amount\":200", "\"amount\":99", "/conditions/spend_max")]
    [InlineData("[\"tea\"]", "[\"mug\"]", "/conditions/excluded_skus")]
    [InlineData("\"control_share\":0", "\"control_share\":500", "/control_share")]
    public async Task Values_that_contradict_each_other_are_refused_by_name(string good, string bad, string place)
    {
        await using var host = await ApiHost.StartAsync();
        Assert.Contains(good, Good, StringComparison.Ordinal);
        var answer = await host.ExpectAsync(400, "POST", "/v1/campaigns", Good.Replace(good, bad, StringComparison.Ordinal));
        var error = Assert.Single(answer.Json["errors"]!.AsArray())!;
        Assert.Equal((place, "contradiction"), (error["pointer"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        await host.ExpectAsync(404, "GET", "/v1/campaigns/c-1");
        await host.ExpectAsync(201, "POST", "/v1/campaigns", Good);
    }
}
