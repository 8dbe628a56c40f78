using System.Text.Json.Nodes;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Processing.Costs;

namespace Promotions.Api.Tests;

/// <summary>The fraud policy over HTTP: versioned, checked, audited, in force at once.</summary>
public sealed class PolicyTests : IAsyncLifetime
{
    private const string Good = """
        {"version": 1, "costs": {"wronged_customer": 2000, "review": 150, "abuse_multiple": 5, "loss_min": 500, "review_catches": 0.8, "goods_share": 0.25}, "review_floor": 0.05,
         "hard_rules": [{"name": "many", "feature": "device_attempts_24h", "at_least": 7}, {"name": "outlier.ip_attempts_1h", "feature": "ip_attempts_1h", "at_least": 40, "note": "nobody reached it"}, {"name": "outlier.surge.STAFF25", "feature": "coupon_accounts_24h", "at_least": 24, "code": "STAFF25", "strangers_only": true}],
         "channels": [{"channel": "pos-*", "ignored_entities": ["device"], "fallback": "refuse"}, {"channel": "*", "fallback": "review"}], "hold_seconds": 60}
        """;

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync(score: 0.9f);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_new_version_decides_from_its_answer_on_and_decisions_name_it()
    {
        // A wronged customer costs next to nothing: at a probability of 0.9 version 2 blocks, and version 3, for which one costs a fortune, lets through.
        var leaves = _host.Ledger.Audit.Size;
        var second = await _host.ExpectAsync(200, "PUT", "/v1/policies/fraud", Good.Replace("\"wronged_customer\": 2000", "\"wronged_customer\": 0", StringComparison.Ordinal));
        Assert.Equal(2, second.Json["version"]!.GetValue<int>());
        Assert.NotNull(second.Json["written_by"]);
        Assert.Equal(leaves + 1, _host.Ledger.Audit.Size);
        Assert.Equal(("blocked", 2, 60), await RedeemAsync("r-2"));

        await _host.ExpectAsync(200, "PUT", "/v1/policies/fraud", Good.Replace("\"version\": 1", "\"version\": 2", StringComparison.Ordinal).Replace("0.05", "1", StringComparison.Ordinal));
        Assert.Equal(("approved", 3, 60), await RedeemAsync("r-3"));
        Assert.Contains("promotions_fraud_policy_version 3", (await _host.ExpectAsync(200, "GET", "/metrics", key: null)).Text, StringComparison.Ordinal);

        Assert.Equal(0, (await _host.ExpectAsync(200, "GET", "/v1/policies/fraud?version=2")).Json["costs"]!["wronged_customer"]!.GetValue<long>());
        var shipped = (await _host.ExpectAsync(200, "GET", "/v1/policies/fraud?version=1")).Json;
        Assert.Equal((2_000, (string?)null), (shipped["costs"]!["wronged_customer"]!.GetValue<long>(), shipped["written_by"]?.GetValue<string>()));
        Assert.Equal("unknown_policy_version", (await _host.ExpectAsync(404, "GET", "/v1/policies/fraud?version=4")).Code);
    }

    [Fact]
    public async Task The_dashboard_saves_by_the_same_rules()
    {
        var key = _host.Keys.List().Single(record => record.Scopes.HasFlag(Keys.KeyScopes.Admin)).Id;
        var body = System.Text.Json.JsonSerializer.Deserialize(Good, Contracts.Json.ContractsJson.Default.FraudPolicyBody)!;
        var leaves = _host.Ledger.Audit.Size;
        Assert.Null((await _host.PolicyDesk.PutAsync(body, key, TestContext.Current.CancellationToken)).Problem);
        Assert.Equal(leaves + 1, _host.Ledger.Audit.Size);
        Assert.Equal((2, key, 0.25), (_host.PolicyDesk.Read().Version, _host.PolicyDesk.Read().WrittenBy, _host.PolicyDesk.Read().Costs.GoodsShare));

        Assert.Contains("Somebody saved another policy", (await _host.PolicyDesk.PutAsync(body, key, TestContext.Current.CancellationToken)).Problem, StringComparison.Ordinal);
        body.ReviewFloor = 2;
        Assert.Contains("/review_floor: Must be 0 to 1.", (await _host.PolicyDesk.PutAsync(body, key, TestContext.Current.CancellationToken)).Problem, StringComparison.Ordinal);
        Assert.Contains("no longer an admin's", (await _host.PolicyDesk.PutAsync(body, "gone", TestContext.Current.CancellationToken)).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_written_is_read_again_and_written_again_as_it_stands()
    {
        await _host.ExpectAsync(200, "PUT", "/v1/policies/fraud", Good);
        var read = (await _host.ExpectAsync(200, "GET", "/v1/policies/fraud")).Json.AsObject();
        var sent = JsonNode.Parse(Good)!.AsObject();
        foreach (var (name, value) in sent)
            if (name is "costs" or "review_floor" or "hard_rules" or "hold_seconds") Assert.True(JsonNode.DeepEquals(value, read[name]), $"{name}: {read[name]}");
        read.Remove("written_by");
        read.Remove("written_at");

        Assert.Equal(3, (await _host.ExpectAsync(200, "PUT", "/v1/policies/fraud", read.ToJsonString())).Json["version"]!.GetValue<int>());
    }

    [Fact]
    public async Task Of_two_edits_of_one_version_one_wins_and_the_same_edit_again_is_one_edit()
    {
        var other = Good.Replace("\"review\": 150", "\"review\": 200", StringComparison.Ordinal);
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => _host.SendAsync("PUT", "/v1/policies/fraud", i % 2 == 0 ? Good : other, "admin")));

        var won = (await _host.ExpectAsync(200, "GET", "/v1/policies/fraud")).Json;
        Assert.Equal(2, won["version"]!.GetValue<int>());
        var good = won["costs"]!["review"]!.GetValue<long>() == 150;
        for (var i = 0; i < answers.Length; i++)
        {
            if (i % 2 == 0 == good) Assert.Equal(200, (int)answers[i].Status);
            else Assert.Equal((409, "stale_policy_version"), ((int)answers[i].Status, answers[i].Code));
        }

        Assert.Equal("true", (await _host.ExpectAsync(200, "PUT", "/v1/policies/fraud", good ? Good : other)).Header("Idempotency-Hit"));
    }

    [Theory]
    [InlineData("\"version\": 1,", "", "/version", "required")]
    [InlineData("\"wronged_customer\": 2000", "\"wronged_customer\": -1", "/costs/wronged_customer", "negative")]
    [InlineData("\"review\": 150, ", "", "/costs/review", "required")]
    [InlineData("\"abuse_multiple\": 5", "\"abuse_multiple\": 0.5", "/costs/abuse_multiple", "out_of_range")]
    [InlineData("\"review_catches\": 0.8", "\"review_catches\": 1.1", "/costs/review_catches", "out_of_range")]
    [InlineData("\"review_floor\": 0.05", "\"review_floor\": 2", "/review_floor", "out_of_range")]
    [InlineData("\"feature\": \"device_attempts_24h\"", "\"feature\": \"attempt\"", "/hard_rules/0/feature", "unknown_feature")]
    [InlineData("\"at_least\": 7", "\"at_least\": 1e300", "/hard_rules/0/at_least", "out_of_range")]
    [InlineData("\"at_least\": 7}", "\"at_least\": 7}, {\"name\": \"many\", \"feature\": \"device_attempts_24h\", \"at_least\": 9}", "/hard_rules/1/name", "repeated")]
    [InlineData("\"code\": \"STAFF25\"", "\"code\": \"\"", "/hard_rules/2/code", "invalid_code")]
    [InlineData("nobody reached it", "", "/hard_rules/1/note", "invalid_text")]
    [InlineData("\"name\": \"many\"", "\"name\": \"so many\"", "/hard_rules/0/name", "invalid_id")]
    [InlineData("\"pos-*\"", "\"pos*-\"", "/channels/0/channel", "invalid_pattern")]
    [InlineData("\"channel\": \"*\"", "\"channel\": \"pos-*\"", "/channels/1/channel", "repeated")]
    [InlineData("\"channel\": \"*\"", "\"channel\": \"pos-1*\"", "/channels/1/channel", "unreachable")]
    [InlineData("\"channel\": \"*\"", "\"channel\": \"pos-17\"", "/channels/1/channel", "unreachable")]
    [InlineData("[\"device\"]", "[\"customer\"]", "/channels/0/ignored_entities/0", "unknown_value")]
    [InlineData("[\"device\"]", "[\"ip\", \"ip\"]", "/channels/0/ignored_entities/1", "repeated")]
    [InlineData("\"fallback\": \"refuse\"", "\"fallback\": \"approve\"", "/channels/0/fallback", "unknown_value")]
    [InlineData("\"hold_seconds\": 60", "\"hold_seconds\": 604801", "/hold_seconds", "out_of_range")]
    [InlineData("\"hold_seconds\": 60", "\"hold_seconds\": 60, \"let_through\": {\"share\": 0.3, \"value_per_day_max\": 1}", "/let_through/share", "out_of_range")]
    [InlineData("\"hold_seconds\": 60", "\"hold_seconds\": 60, \"let_through\": {\"share\": 0, \"value_per_day_max\": 1}", "/let_through/share", "out_of_range")]
    [InlineData("\"hold_seconds\": 60", "\"hold_seconds\": 60, \"let_through\": {\"share\": 0.1}", "/let_through/value_per_day_max", "required")]
    public async Task Each_mistake_has_one_code_and_changes_nothing(string good, string bad, string place, string code)
    {
        Assert.Contains(good, Good, StringComparison.Ordinal);
        var answer = await _host.ExpectAsync(400, "PUT", "/v1/policies/fraud", Good.Replace(good, bad, StringComparison.Ordinal));
        Assert.Equal("invalid_request", answer.Code);
        var error = Assert.Single(answer.Json["errors"]!.AsArray())!;
        Assert.Equal((place, code), (error["pointer"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        Assert.Equal(1, (await _host.ExpectAsync(200, "GET", "/v1/policies/fraud")).Json["version"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_would_be_block_that_passes_looks_like_any_approval_to_checkout_and_tells_an_admin_its_chance()
    {
        var body = Good.Replace("\"hold_seconds\": 60", "\"hold_seconds\": 60, \"let_through\": {\"share\": 0.2, \"value_per_day_max\": 100000}", StringComparison.Ordinal).Replace("\"wronged_customer\": 2000", "\"wronged_customer\": 0", StringComparison.Ordinal);
        await _host.ExpectAsync(200, "PUT", "/v1/policies/fraud", body);
        Assert.Equal("true", (await _host.ExpectAsync(200, "PUT", "/v1/policies/fraud", body)).Header("Idempotency-Hit"));
        Assert.Equal("""{"share":0.2,"value_per_day_max":100000}""", (await _host.ExpectAsync(200, "GET", "/v1/policies/fraud")).Json["let_through"]!.ToJsonString());        // and no salt

        var passed = 0;
        for (var i = 0; i < 100; i++)       // none of a hundred passes once in 5·10^9 runs
        {
            var told = (await _host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption($"r-{i}", $"c-{i}"), "checkout")).Json;
            var seen = (await _host.ExpectAsync(200, "GET", $"/v1/redemptions/r-{i}")).Json;
            var draw = seen["decision"]!["let_through"]!;
            Assert.Equal(("blocked", 0.2), (seen["risk"]!["verdict"]!.GetValue<string>(), draw["propensity"]!.GetValue<double>()));
            Assert.Equal(draw["drawn"]!.GetValue<bool>() ? ("approved", "approved") : ("blocked", "blocked"), (told["status"]!.GetValue<string>(), told["risk"]!["verdict"]!.GetValue<string>()));
            Assert.DoesNotContain("let_through", told.ToJsonString(), StringComparison.Ordinal);
            if (draw["drawn"]!.GetValue<bool>()) passed++;
        }

        Assert.InRange(passed, 1, 99);
        Assert.Equal(100 - passed, _host.Ledger.Reader.Flags(openOnly: false, 200).Count);
    }

    [Fact]
    public async Task What_was_let_through_is_told_by_currency_with_estimates_once_enough_is_old_enough()
    {
        var old = EventTime.Now(TimeProvider.System).Plus(-TimeSpan.FromDays(30));
        _host.WouldBeBlocks.ByCurrency["EUR"] = [.. Enumerable.Range(0, 40).Select(i => new WouldBeBlock(i, old, $"device:{i}", RedemptionStatus.Approved, 0.1, true, 500, 50_000, 500, 2_000, i < 30 ? true : null))];
        _host.WouldBeBlocks.ByCurrency["CHF"] = [new(1, old, "device:a", RedemptionStatus.Blocked, 0.1, false, 500, 50_000, 500, 2_000, null)];

        var young = (await _host.ExpectAsync(200, "GET", "/v1/policies/fraud/let-through")).Json;
        Assert.Equal((90, 45), (young["days"]!.GetValue<int>(), young["mature_after_days"]!.GetValue<int>()));
        Assert.Equal((40, 0), (young["currencies"]![1]!["too_young"]!.GetValue<int>(), young["currencies"]![1]!["judged"]!.GetValue<int>()));
        Assert.Null(young["currencies"]![1]!["abuse_share"]);
        Assert.Equal(TimeSpan.FromDays(89), TimeProvider.System.GetUtcNow().UtcDateTime.Date - _host.WouldBeBlocks.AskedFrom.ToDateTimeOffset().UtcDateTime);

        var told = (await _host.ExpectAsync(200, "GET", "/v1/policies/fraud/let-through?mature_after_days=20")).Json["currencies"]!;
        Assert.Equal(("CHF", 1), (told[0]!["currency"]!.GetValue<string>(), told[0]!["would_be_blocked"]!.GetValue<int>()));
        Assert.Equal(0.75, told[1]!["abuse_share"]!["value"]!.GetValue<double>(), 1e-12);
        Assert.InRange(told[1]!["abuse_share"]!["low"]!.GetValue<double>(), 0.5, 0.74);
        Assert.Equal("invalid_request", (await _host.ExpectAsync(400, "GET", "/v1/policies/fraud/let-through?days=0")).Code);
        Assert.Equal("not_allowed", (await _host.ExpectAsync(403, "GET", "/v1/policies/fraud/let-through", key: "checkout")).Code);
    }

    [Fact]
    public async Task A_key_of_some_channels_reads_the_policy_and_does_not_write_it()
    {
        var key = await _host.NewKeyAsync("\"admin\"", "\"web-de\"");
        await _host.ExpectAsync(200, "GET", "/v1/policies/fraud", key: key);
        Assert.Equal("channel_not_allowed", (await _host.ExpectAsync(403, "PUT", "/v1/policies/fraud", Good, key)).Code);
    }

    private async Task<(string Status, int Policy, int HeldSeconds)> RedeemAsync(string id)
    {
        await _host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption(id, "c-1"), "checkout");
        var decision = _host.Ledger.Reader.FindDecision(id)!;
        var answer = (await _host.ExpectAsync(200, "GET", $"/v1/redemptions/{id}")).Json;
        Assert.Equal(decision.Proposal.Risk.PolicyVersion, answer["decision"]!["policy_version"]!.GetValue<int>());
        return (answer["status"]!.GetValue<string>(), decision.Proposal.Risk.PolicyVersion, (int)decision.Proposal.HoldFor.TotalSeconds);
    }

    private static string Redemption(string id, string customer) => $$"""
        {"id": "{{id}}", "channel": "web-de", "customer": {"id": "{{customer}}"},
         "order": {"id": "o-1", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 2, "unit_price": {"amount": 1500, "currency": "EUR"} }]} }
        """;
}
