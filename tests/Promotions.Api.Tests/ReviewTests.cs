using System.Globalization;
using Promotions.Features;
using Promotions.Processing.Reviews;

namespace Promotions.Api.Tests;

/// <summary>The review queue by expected cost, and what answers do.</summary>
public sealed class ReviewTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    /// <summary>Everything has p = 0.7, and goods are lost whole where abuse succeeds: the more is in the cart, the dearer is a mistake.</summary>
    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync(score: 0.7f);
        var policy = (await _host.ExpectAsync(200, "GET", "/v1/policies/fraud")).Json.AsObject();
        policy.Remove("written_by");
        policy.Remove("written_at");
        policy["costs"]!["goods_share"] = 1.0;
        await _host.ExpectAsync(200, "PUT", "/v1/policies/fraud", policy.ToJsonString());
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Open_flags_come_by_what_is_lost_if_nobody_looks_in_pages_that_neither_repeat_nor_miss()
    {
        await RedeemAsync("r-one", 1);        // review: 0.7 · 15.00 = 10.50
        await RedeemAsync("r-three", 3);      // blocked: 0.3 · 20.00 = 6.00
        await RedeemAsync("r-two", 2);        // review: 0.7 · 30.00 = 21.00
        await RedeemAsync("r-one-more", 1);   // as the first, and newer
        var all = (await _host.ExpectAsync(200, "GET", "/v1/flags?order=cost")).Json;
        Assert.Equal(["r-two", "r-one-more", "r-one", "r-three"], Ids(all));
        Assert.Equal([2_100L, 1_050, 1_050, 600], all["flags"]!.AsArray().Select(flag => flag!["expected_cost"]!["amount"]!.GetValue<long>()));
        Assert.Equal([3_000L, 1_500, 1_500, 2_000], all["flags"]!.AsArray().Select(flag => flag!["at_stake"]!["amount"]!.GetValue<long>()));
        Assert.Equal((4, true, 0, 50), Queue(all));
        Assert.Null(all["next_after"]);

        var paged = new List<string>();
        for (string? after = null; ;)
        {
            var page = (await _host.ExpectAsync(200, "GET", "/v1/flags?order=cost&max=1" + (after is null ? "" : "&after=" + after))).Json;
            paged.AddRange(Ids(page));
            // A flag that is answered while somebody pages moves no other.
            if (paged.Count == 1) await AnswerAsync("r-two", true);
            after = page["next_after"]?.GetValue<string>();
            if (after is null) break;
        }

        Assert.Equal(["r-two", "r-one-more", "r-one", "r-three"], paged);
        await _host.ExpectAsync(200, "POST", "/v1/redemptions/r-one/void", "{}", "checkout");
        var left = (await _host.ExpectAsync(200, "GET", "/v1/flags?order=cost")).Json;
        Assert.Equal(["r-one-more", "r-three", "r-one"], Ids(left));      // nothing was taken: nothing is lost any more
        Assert.Equal((3, true, 1, 50), Queue(left));
    }

    [Theory]
    [InlineData("order=age")]
    [InlineData("order=cost&open=false")]
    [InlineData("order=cost&before=7")]
    [InlineData("order=cost&after=7")]
    [InlineData("after=0.7")]
    public async Task A_query_that_has_no_meaning_is_refused(string query) => Assert.Equal("invalid_request", (await _host.ExpectAsync(400, "GET", "/v1/flags?" + query)).Code);

    [Fact]
    public async Task The_newest_answer_counts_and_the_same_again_is_the_same_label()
    {
        await RedeemAsync("r-1", 1);
        var first = await AnswerAsync("r-1", true);
        Assert.Equal(first, await AnswerAsync("r-1", true));
        var second = await AnswerAsync("r-1", false);
        var third = await AnswerAsync("r-1", true);      // back again: an answer like the first, and not the first
        Assert.Equal(3, new HashSet<string> { first, second, third }.Count);
        Assert.True((await _host.ExpectAsync(200, "GET", "/v1/flags/r-1")).Json["abuse"]!.GetValue<bool>());

        // The dashboard's way is the same: its answers meet those of the API.
        var desk = new ReviewDesk(_host.Ledger.Reader, _host.Gateway, TimeProvider.System);
        Assert.Equal(third, (await desk.AnswerAsync("r-1", true, null, "colleague", TestContext.Current.CancellationToken)).LabelId);
        var fourth = (await desk.AnswerAsync("r-1", false, null, "colleague", TestContext.Current.CancellationToken)).LabelId!;
        Assert.Equal(fourth, await AnswerAsync("r-1", false));
        Assert.Equal([true, false, true, false], _host.Ledger.Reader.LabelsOf(["r-1"]).Select(label => label.Abuse));
    }

    [Fact]
    public async Task An_answer_reaches_the_features_of_the_customers_next_attempt()
    {
        await RedeemAsync("r-1", 1);
        await AnswerAsync("r-1", true);
        var feature = FeatureRegistry.IndexOf("customer_abuse_rate_30d");
        var started = TimeProvider.System.GetTimestamp();
        for (var attempt = 2; ; attempt++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"r-{attempt}");
            await RedeemAsync(id, 1);
            if (_host.Ledger.Reader.FindDecision(id)!.Proposal.Risk.Vector.Span[feature] > 0.05f) break;      // one label of abuse: (1 + 0.01 · 10) / (1 + 10)
        }

        TestContext.Current.SendDiagnosticMessage($"An answer counted after {TimeProvider.System.GetElapsedTime(started).TotalMilliseconds:F1} ms.");
    }

    [Fact]
    public async Task A_customers_time_line_has_attempts_orders_and_labels_in_their_order_and_similar_cases_their_newest_label()
    {
        await RedeemAsync("r-1", 1);
        await RedeemAsync("r-2", 1);
        await _host.ExpectAsync(200, "POST", "/v1/orders", """{"channel": "web-de", "customer": {"id": "c-1"}, "order": {"id": "o-9", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 1, "unit_price": {"amount": 1500, "currency": "EUR"}}]}, "total": {"amount": 1500, "currency": "EUR"}}""", "checkout");
        await AnswerAsync("r-1", true);
        await AnswerAsync("r-1", false);
        var line = (await _host.ExpectAsync(200, "GET", "/v1/customers/c-1/timeline")).Json;
        Assert.Equal(["attempt", "attempt", "earned", "label", "label", "order"], line["moments"]!.AsArray().Select(moment => moment!["kind"]!.GetValue<string>()).Order(StringComparer.Ordinal));
        Assert.True(line["is_all"]!.GetValue<bool>());
        Assert.False(line["moments"]!.AsArray().Single(moment => moment!["id"]!.GetValue<string>() == "r-1")!["abuse"]!.GetValue<bool>());
        var times = line["moments"]!.AsArray().Select(moment => moment!["at"]!.GetValue<string>()).ToArray();
        Assert.Equal(times.Order(StringComparer.Ordinal), times);
        Assert.Single((await _host.ExpectAsync(200, "GET", "/v1/customers/c-1/timeline?max=1")).Json["moments"]!.AsArray());
        Assert.Empty((await _host.ExpectAsync(200, "GET", "/v1/customers/c-never/timeline")).Json["moments"]!.AsArray());

        var similar = (await _host.ExpectAsync(200, "GET", "/v1/flags/r-2/similar")).Json;
        var one = Assert.Single(similar["cases"]!.AsArray())!;
        Assert.Equal(("r-1", false, 0.0, "device_attempts_24h"), (one["id"]!.GetValue<string>(), one["abuse"]!.GetValue<bool>(), one["distance"]!.GetValue<double>(), one["shared"]![0]!.GetValue<string>()));
        var itself = (await _host.ExpectAsync(200, "GET", "/v1/flags/r-1/similar")).Json;
        Assert.Empty(itself["cases"]!.AsArray());
        Assert.NotNull(itself["missing_because"]);

        var elsewhere = await _host.NewKeyAsync("\"admin\"", "\"web-fr\"");
        await _host.ExpectAsync(403, "GET", "/v1/customers/c-1/timeline", key: elsewhere);
        await _host.ExpectAsync(404, "GET", "/v1/flags/r-2/similar", key: elsewhere);
    }

    [Fact]
    public async Task Accounts_that_share_a_device_are_two_steps_apart_and_every_node_can_be_walked_to()
    {
        foreach (var (id, customer, device, ip) in ((string, string, string, string)[])
            [("r-1", "ann", "phone", "192.0.2.1"), ("r-2", "bob", "phone", "192.0.2.2"), ("r-3", "bob", "laptop", "192.0.2.2"), ("r-4", "cid", "other", "192.0.2.9")])
            await _host.ExpectAsync(200, "POST", "/v1/redemptions", $$"""
                {"id": "{{id}}", "channel": "web-de", "customer": {"id": "{{customer}}"}, "context": {"device_id": "{{device}}", "ip": "{{ip}}"},
                 "order": {"id": "o-{{id}}", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 1, "unit_price": {"amount": 1500, "currency": "EUR"} }] } }
                """, "checkout");

        var ann = (await _host.ExpectAsync(200, "GET", "/v1/entities/customer/ann/neighbours")).Json;
        Assert.Equal([("ann", 0), ("device", 1), ("ip", 1), ("bob", 2)], Nodes(ann));
        Assert.Equal(4, ann["looked_at"]!.GetValue<int>());
        var phone = ann["nodes"]![1]!;
        Assert.Equal((2, 2, 2), (phone["attempts"]!.GetValue<int>(), phone["flagged"]!.GetValue<int>(), phone["accounts"]!.GetValue<int>()));
        Assert.Equal(EntityKey.HashOf("phone").ToString("x32", CultureInfo.InvariantCulture), phone["key"]!.GetValue<string>());
        Assert.Equal(["ann-device-1", "ann-ip-1", "bob-device-1"], ann["edges"]!.AsArray().Select(edge => $"{edge!["customer_id"]}-{edge["kind"]}-{edge["attempts"]}").Order(StringComparer.Ordinal));
        Assert.DoesNotContain("phone", ann.ToJsonString(), StringComparison.Ordinal);

        var walked = (await _host.ExpectAsync(200, "GET", $"/v1/entities/device/{phone["key"]}/neighbours")).Json;
        Assert.Equal([("device", 0), ("ann", 1), ("bob", 1), ("ip", 2), ("ip", 2), ("device", 2)], Nodes(walked));
        Assert.Equal([("never", 0)], Nodes((await _host.ExpectAsync(200, "GET", "/v1/entities/customer/never/neighbours")).Json));
        await _host.ExpectAsync(404, "GET", "/v1/entities/device/phone/neighbours");
        await _host.ExpectAsync(403, "GET", "/v1/entities/customer/ann/neighbours", key: await _host.NewKeyAsync("\"admin\"", "\"web-fr\""));

        static IEnumerable<(string, int)> Nodes(System.Text.Json.Nodes.JsonNode answer) => answer["nodes"]!.AsArray()
            .Select(node => (node!["kind"]!.GetValue<string>() is "customer" ? node["key"]!.GetValue<string>() : node["kind"]!.GetValue<string>(), node["ring"]!.GetValue<int>()));
    }

    [Fact]
    public async Task What_reviewers_answer_in_a_day_is_set_with_the_flag_rules_and_kept_when_left_out()
    {
        await _host.ExpectAsync(200, "PUT", "/v1/policies/flags", """{"notify_from": 0.9, "freeze_hours": 24, "reviews_per_day": 80}""");
        await _host.ExpectAsync(200, "PUT", "/v1/policies/flags", """{"notify_from": 0.8, "freeze_hours": 24}""");
        Assert.Equal(80, Queue((await _host.ExpectAsync(200, "GET", "/v1/flags?order=cost")).Json).PerDay);
        await _host.ExpectAsync(400, "PUT", "/v1/policies/flags", """{"notify_from": 0.8, "freeze_hours": 24, "reviews_per_day": -1}""");
    }

    private async Task<string> AnswerAsync(string id, bool abuse) =>
        (await _host.ExpectAsync(200, "POST", $"/v1/flags/{id}/answer", abuse ? """{"abuse": true}""" : """{"abuse": false}""")).Json["id"]!.GetValue<string>();

    private Task<Answer> RedeemAsync(string id, int quantity) => _host.ExpectAsync(200, "POST", "/v1/redemptions", $$"""
        {"id": "{{id}}", "channel": "web-de", "customer": {"id": "c-1"},
         "order": {"id": "o-{{id}}", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": {{quantity}}, "unit_price": {"amount": 1500, "currency": "EUR"} }] } }
        """, "checkout");

    private static IEnumerable<string> Ids(System.Text.Json.Nodes.JsonNode answer) => answer["flags"]!.AsArray().Select(flag => flag!["redemption"]!["id"]!.GetValue<string>());

    private static (int Open, bool OpenIsAll, int AnsweredToday, int PerDay) Queue(System.Text.Json.Nodes.JsonNode answer)
    {
        var queue = answer["queue"]!;
        return (queue["open"]!.GetValue<int>(), queue["open_is_all"]!.GetValue<bool>(), queue["answered_today"]!.GetValue<int>(), queue["per_day"]!.GetValue<int>());
    }
}
