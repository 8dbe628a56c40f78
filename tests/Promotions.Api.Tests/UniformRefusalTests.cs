using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Promotions.Domain.Campaigns;

namespace Promotions.Api.Tests;

/// <summary>Who tries codes must not learn which of them exist: what is withheld, unknown, another customer's or another channel's is one answer, made by the same steps.</summary>
public class UniformRefusalTests(ITestOutputHelper output)
{
    private static readonly string[] Kinds = ["withheld", "unknown", "foreign", "channel"];

    [Fact]
    public async Task The_four_refusals_have_one_body_but_for_ids_and_take_the_same_steps()
    {
        var calls = new ConcurrentDictionary<string, int>();
        await using var host = await ApiHost.StartAsync(ledgerSeen: ledger => Counted.Over(ledger, calls));
        var shop = await OpenAsync(host, 1);
        var bodies = new Dictionary<string, string>();
        var steps = new Dictionary<string, string>();
        foreach (var kind in Kinds)
        {
            calls.Clear();
            var before = host.Ledger.Reader.LastLogPosition;
            var answer = await host.ExpectAsync(200, "POST", "/v1/redemptions", shop.Redemption("r-" + kind, kind, 0), "checkout");
            Assert.Equal("not_available", answer.Json["reason_code"]!.GetValue<string>());
            bodies[kind] = answer.Text.Replace("r-" + kind, "ID", StringComparison.Ordinal).Replace(shop.CodeOf(kind, 0), "CODE", StringComparison.Ordinal);
            // Which of the two look-ups in memory finds the campaign depends on the code; how many reads and writes of the ledger there are does not.
            steps[kind] = string.Join(' ', calls.Where(call => call.Key is not ("FindCampaign" or "FindPublic")).OrderBy(call => call.Key, StringComparer.Ordinal).Select(call => $"{call.Key}:{call.Value}"))
                + " | " + string.Join(' ', host.Ledger.Reader.ReadLog(before, 100).Select(record => record.Topic));
            Assert.Equal(1, calls.GetValueOrDefault("FindCampaign") + calls.GetValueOrDefault("FindPublic"));
        }

        Assert.True(host.Ledger.Reader.FindDecision("r-withheld")!.Proposal.Priced.Redeemables[0].WithheldForControl);
        Assert.Equal(RefusalCode.ChannelNotAllowed, host.Ledger.Reader.FindDecision("r-channel")!.Refusal);
        Assert.Contains("FindArm:1", steps["withheld"], StringComparison.Ordinal);
        foreach (var kind in Kinds)
        {
            Assert.Equal(bodies["withheld"], bodies[kind]);
            Assert.Equal(steps["withheld"], steps[kind]);
        }

        Assert.Equal("channel_not_allowed", (await host.ExpectAsync(200, "GET", "/v1/redemptions/r-channel")).Json["reason_code"]!.GetValue<string>());      // an admin is told
    }

    [Fact]
    public async Task Their_times_are_printed_side_by_side()
    {
        const int rounds = 150;
        await using var host = await ApiHost.StartAsync(new ApiOptions { RequestsPerSecond = 100_000 });
        var shop = await OpenAsync(host, rounds);
        var took = Kinds.ToDictionary(kind => kind, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            // Another first in each round, so that none of them always meets the warmer or colder moment.
            for (var i = 0; i < Kinds.Length; i++)
            {
                var kind = Kinds[(i + round) % Kinds.Length];
                var body = shop.Redemption($"r-{kind}-{round}", kind, round);
                var started = Stopwatch.GetTimestamp();
                var answer = await host.ExpectAsync(200, "POST", "/v1/redemptions", body, "checkout");
                took[kind].Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                Assert.Equal("not_available", answer.Json["reason_code"]!.GetValue<string>());
            }
        }

        foreach (var (kind, times) in took)
        {
            times.Sort();
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{kind,-9} {times.Count} attempts, each with a code and customer never seen: 10 % {times[times.Count / 10]:0.000} ms, median {times[times.Count / 2]:0.000} ms, 90 % {times[times.Count * 9 / 10]:0.000} ms"));
        }
    }

    private static async Task<Shop> OpenAsync(ApiHost host, int customers)
    {
        await host.ExpectAsync(201, "POST", "/v1/campaigns", Campaign("held", "\"control_share\":5000"));
        await host.ExpectAsync(201, "POST", "/v1/campaigns", Campaign("mine", "\"control_share\":0"));
        await host.ExpectAsync(201, "POST", "/v1/campaigns", Campaign("elsewhere", "\"channels\":[\"pos-17\"]"));
        var campaign = host.Ledger.Campaigns.FindCampaign("held")!;
        var control = Enumerable.Range(0, 10 * customers + 100).Select(i => $"c-{i}").Where(id => ControlGroup.Assign(campaign, id) is Arm.Control).Take(customers).ToArray();
        Assert.Equal(customers, control.Length);
        var shop = new Shop(control);
        for (var i = 0; i < customers; i++)
        {
            await host.ExpectAsync(201, "POST", $"/v1/customers/{control[i]}/coupons", $$"""{"campaign_id":"held","code":"{{shop.CodeOf("withheld", i)}}"}""");
            await host.ExpectAsync(201, "POST", "/v1/customers/somebody/coupons", $$"""{"campaign_id":"mine","code":"{{shop.CodeOf("foreign", i)}}"}""");
            await host.ExpectAsync(201, "POST", $"/v1/customers/{control[i]}/coupons", $$"""{"campaign_id":"elsewhere","code":"{{shop.CodeOf("channel", i)}}"}""");
        }

        return shop;
    }

    private static string Campaign(string id, string more) => $$"""
        {"id":"{{id}}","name":"{{id}}","distribution":"private","currency":"EUR","benefit":{"type":"percent_off","basis_points":1000},{{more}}}
        """;

    private sealed record Shop(string[] Customers)
    {
        public string CodeOf(string kind, int number) => $"{kind.ToUpperInvariant()}-{number}";

        public string Redemption(string id, string kind, int number) => $$"""
            {"id": "{{id}}", "channel": "web-de", "customer": {"id": "{{Customers[number]}}"},
             "order": {"id": "o-1", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 2, "unit_price": {"amount": 1500, "currency": "EUR"} }]},
             "redeemables": [{"type": "coupon", "code": "{{CodeOf(kind, number)}}"}], "context": {"device_id": "d-{{number}}", "ip": "203.0.113.9"} }
            """;
    }
}
