using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Promotions.Api.Http;
using Promotions.Ledger;

namespace Promotions.Api.Tests;

/// <summary>What every caller meets: keys, problems, rates, idempotency.</summary>
public sealed class SurfaceTests : IAsyncLifetime
{
    private const string Redemption = """
        {"id": "r-1", "channel": "web-de", "customer": {"id": "c-1"},
         "order": {"id": "o-1", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 2, "unit_price": {"amount": 1500, "currency": "EUR"}}]},
         "redeemables": [{"type": "coupon", "code": "ten"}]}
        """;

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync(new ApiOptions { AnswerTimeout = TimeSpan.FromMilliseconds(200) }, broken: true);
        await _host.ExpectAsync(201, "POST", "/v1/campaigns", Campaign("ten", "public"));
        await _host.ExpectAsync(201, "POST", "/v1/campaigns", Campaign("mine", "private"));
        await _host.ExpectAsync(201, "POST", "/v1/customers/c-2/coupons", """{"campaign_id": "mine", "code": "FOREIGN"}""");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public void Every_route_says_who_may_call_it()
    {
        Assert.NotEmpty(_host.Endpoints);
        foreach (var endpoint in _host.Endpoints)
        {
            var operation = endpoint.Metadata.GetMetadata<ApiOperation>();
            Assert.True(operation is not null, $"{endpoint.RoutePattern.RawText} declares nothing");
            Assert.True(operation.Access.IsPublic ^ operation.Access.Scopes is not Keys.KeyScopes.None, endpoint.RoutePattern.RawText);
        }
    }

    [Fact]
    public async Task Without_the_scope_no_route_answers()
    {
        var analyst = await _host.NewKeyAsync("\"analyst\"");
        foreach (var operation in Endpoints.ApiTable.All.Where(operation => !operation.Access.IsPublic))
        {
            var path = operation.Examples[0].Path;
            Assert.Equal("not_authenticated", (await _host.ExpectAsync(401, operation.Method, path, operation.Examples[0].Body, key: null)).Code);
            var other = operation.Access == Access.Admin ? "checkout" : operation.Access == Access.Analyst ? "checkout" : analyst;
            Assert.Equal("not_allowed", (await _host.ExpectAsync(403, operation.Method, path, operation.Examples[0].Body, other)).Code);
        }
        Assert.Equal("not_authenticated", (await _host.ExpectAsync(401, "GET", "/v1/nothing", key: null)).Code);
        Assert.Equal("not_found", (await _host.ExpectAsync(404, "GET", "/v1/nothing")).Code);
        var wrongMethod = await _host.SendAsync("DELETE", "/v1/redemptions", key: "admin");
        Assert.Equal((405, "method_not_allowed"), ((int)wrongMethod.Status, wrongMethod.Code));
    }

    [Theory]
    [InlineData("not json", "malformed_json", "")]
    [InlineData("{\"channel\": \"web-de\",}", "malformed_json", "")]
    [InlineData("{/* why */}", "malformed_json", "")]
    [InlineData("{} {}", "malformed_json", "")]
    [InlineData("null", "malformed_json", "")]
    [InlineData("{\"chanel\": \"web-de\"}", "unknown_field", "/chanel")]
    [InlineData("{\"order\": {\"items\": [{\"sku\": \"a\", \"price\": 1}]}}", "unknown_field", "/order/items/0/price")]
    [InlineData("{\"channel\": \"a\", \"channel\": \"b\"}", "duplicate_field", "/channel")]
    [InlineData("{\"order\": {\"items\": [{\"quantity\": 1.5}]}}", "invalid_request", "/order/items/0/quantity")]
    [InlineData("{\"order\": {\"items\": [{\"quantity\": \"1\"}]}}", "invalid_request", "/order/items/0/quantity")]
    [InlineData("{\"order\": {\"items\": [{\"unit_price\": {\"amount\": 9223372036854775808}}]}}", "invalid_request", "/order/items/0/unit_price/amount")]
    public async Task Json_is_read_strictly(string body, string code, string place)
    {
        var answer = await _host.ExpectAsync(400, "POST", "/v1/redemptions", body, "checkout");
        Assert.Equal("application/problem+json", answer.MediaType);
        Assert.Equal(code, answer.Code);
        Assert.Equal("urn:promotions:problem:" + code, answer.Json["type"]!.GetValue<string>());
        Assert.Equal(place, answer.Json["errors"]![0]!["pointer"]!.GetValue<string>());
        Assert.DoesNotContain("System.", answer.Text, StringComparison.Ordinal);
        Assert.Null(_host.Ledger.Reader.FindDecision("r-1"));
    }

    [Theory]
    [InlineData("\"quantity\": 2", "\"quantity\": -2", "/order/items/0/quantity", "negative")]
    [InlineData("\"quantity\": 2", "\"quantity\": 100001", "/order/items/0/quantity", "out_of_range")]
    [InlineData("\"amount\": 1500, \"currency\": \"EUR\"", "\"amount\": 1500, \"currency\": \"USD\"", "/order/items/0/unit_price/currency", "currency_mismatch")]
    [InlineData("\"currency\": \"EUR\", \"items\"", "\"currency\": \"EURO\", \"items\"", "/order/currency", "invalid_currency")]
    [InlineData("\"amount\": 1500", "\"amount\": -1", "/order/items/0/unit_price/amount", "negative")]
    [InlineData("\"channel\": \"web-de\"", "\"occurred_at\": \"2199-01-01T00:00:00Z\", \"channel\": \"web-de\"", "/occurred_at", "in_future")]
    [InlineData("\"channel\": \"web-de\"", "\"occurred_at\": \"yesterday\", \"channel\": \"web-de\"", "/occurred_at", "invalid_time")]
    [InlineData("\"channel\": \"web-de\"", "\"channel\": \"web de\"", "/channel", "invalid_id")]
    [InlineData("\"type\": \"coupon\"", "\"type\": \"voucher\"", "/redeemables/0/type", "unknown_value")]
    [InlineData("\"quantity\": 2, \"unit_price\": {\"amount\": 1500", "\"quantity\": 100000, \"unit_price\": {\"amount\": 1000000000000", "/order", "overflow")]
    public async Task Bad_values_are_told_by_pointer_and_book_nothing(string good, string bad, string place, string code)
    {
        Assert.Contains(good, Redemption, StringComparison.Ordinal);
        var answer = await _host.ExpectAsync(400, "POST", "/v1/redemptions", Redemption.Replace(good, bad, StringComparison.Ordinal), "checkout");
        Assert.Equal("invalid_request", answer.Code);
        Assert.Contains(answer.Json["errors"]!.AsArray(), error => error!["pointer"]!.GetValue<string>() == place && error["code"]!.GetValue<string>() == code);
        Assert.Null(_host.Ledger.Reader.FindDecision("r-1"));
    }

    [Fact]
    public async Task Oversized_deep_and_foreign_bodies_are_refused()
    {
        Assert.Equal("body_too_large", (await _host.ExpectAsync(413, "POST", "/v1/redemptions", new string(' ', 65 * 1024) + "{}", "checkout")).Code);
        var deep = string.Concat(Enumerable.Repeat("[", 20)) + string.Concat(Enumerable.Repeat("]", 20));
        Assert.Equal("malformed_json", (await _host.ExpectAsync(400, "POST", "/v1/redemptions", deep, "checkout")).Code is "invalid_request" or "malformed_json" ? "malformed_json" : "other");
        var text = await _host.SendAsync("POST", "/v1/redemptions", Redemption, change: request => request.Content = new StringContent(Redemption, Encoding.UTF8, "text/plain"));
        Assert.Equal((415, "unsupported_media_type"), ((int)text.Status, text.Code));
    }

    [Fact]
    public async Task The_same_id_is_answered_as_before_and_other_content_is_refused()
    {
        var first = await _host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption, "checkout");
        Assert.Equal("approved", first.Json["status"]!.GetValue<string>());
        Assert.Equal(300, first.Json["order"]!["discount"]!["amount"]!.GetValue<long>());
        Assert.Null(first.Header(ApiCall.IdempotencyHitHeader));

        var spelledOtherwise = Redemption.Replace("\n", "  \n", StringComparison.Ordinal).Replace("\"ten\"", "\" TEN \"", StringComparison.Ordinal);
        var again = await _host.ExpectAsync(200, "POST", "/v1/redemptions", spelledOtherwise, "checkout", request => request.Headers.Add("Idempotency-Key", "\"r-1\""));
        Assert.Equal(first.Text, again.Text);
        Assert.Equal("true", again.Header(ApiCall.IdempotencyHitHeader));

        var other = Redemption.Replace("\"quantity\": 2", "\"quantity\": 3", StringComparison.Ordinal);
        Assert.Equal("same_id_different_content", (await _host.ExpectAsync(422, "POST", "/v1/redemptions", other, "checkout")).Code);
        Assert.Equal("id_conflict", (await _host.ExpectAsync(400, "POST", "/v1/redemptions", Redemption, "checkout", request => request.Headers.Add("Idempotency-Key", "r-2"))).Code);
        Assert.Equal("missing_id", (await _host.ExpectAsync(400, "POST", "/v1/redemptions", Redemption.Replace("\"id\": \"r-1\", ", "", StringComparison.Ordinal), "checkout")).Code);
    }

    [Fact]
    public async Task Another_key_learns_nothing_and_changes_nothing()
    {
        await _host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption, "checkout");
        var other = await _host.NewKeyAsync("\"checkout\"");
        var till = await _host.NewKeyAsync("\"checkout\"", "\"pos-17\"");

        var foreign = await _host.ExpectAsync(404, "GET", "/v1/redemptions/r-1", key: other);
        var unknown = await _host.ExpectAsync(404, "GET", "/v1/redemptions/r-x", key: other);
        Assert.Equal(foreign.Code, unknown.Code);
        await _host.ExpectAsync(404, "POST", "/v1/redemptions/r-1/capture", key: other);
        await _host.ExpectAsync(202, "POST", "/v1/redemptions/r-1/void", key: other);
        Assert.Equal("same_id_different_content", (await _host.ExpectAsync(422, "POST", "/v1/redemptions", Redemption, other)).Code);
        Assert.Equal("channel_not_allowed", (await _host.ExpectAsync(403, "POST", "/v1/redemptions", Redemption.Replace("r-1", "r-2", StringComparison.Ordinal), till)).Code);
        Assert.Equal("held", (await _host.ExpectAsync(200, "GET", "/v1/redemptions/r-1", key: "checkout")).Json["hold"]!["state"]!.GetValue<string>());
    }

    [Fact]
    public async Task Checkout_learns_the_verdict_and_admins_the_evidence()
    {
        var checkout = (await _host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption, "checkout")).Json;
        Assert.Null(checkout["risk"]!["score"]);
        Assert.Null(checkout["risk"]!["reasons"]);
        Assert.Null(checkout["decision"]);
        var admin = (await _host.ExpectAsync(200, "GET", "/v1/redemptions/r-1")).Json;
        Assert.Equal(0.01, admin["risk"]!["score"]!.GetValue<double>(), 6);
        Assert.Equal(64, admin["decision"]!["model_hash"]!.GetValue<string>().Length);
    }

    [Fact]
    public async Task An_unknown_code_and_a_strangers_coupon_have_one_answer()
    {
        var unknown = await _host.ExpectAsync(200, "POST", "/v1/redemptions", With("r-5", "NOTHING"), "checkout");
        var foreign = await _host.ExpectAsync(200, "POST", "/v1/redemptions", With("r-6", "FOREIGN"), "checkout");
        Assert.Equal("rejected", unknown.Json["status"]!.GetValue<string>());
        Assert.Equal("not_available", unknown.Json["reason_code"]!.GetValue<string>());
        Assert.Equal(unknown.Text.Replace("r-5", "r-6", StringComparison.Ordinal).Replace("NOTHING", "FOREIGN", StringComparison.Ordinal), foreign.Text);
        Assert.NotNull(_host.Ledger.Reader.FindDecision("r-5"));      // seen as an attempt

        static string With(string id, string code) => Redemption.Replace("r-1", id, StringComparison.Ordinal).Replace("\"ten\"", $"\"{code}\"", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revoked_key_is_refused_at_once_and_the_last_admin_key_stays()
    {
        var made = (await _host.ExpectAsync(201, "POST", "/v1/api-keys", """{"name": "till", "scopes": ["checkout"]}""")).Json;
        var key = made["key"]!.GetValue<string>();
        await _host.ExpectAsync(200, "GET", "/v1/customers/c-1/balances", key: key);
        await _host.ExpectAsync(200, "POST", $"/v1/api-keys/{made["id"]}/revoke");
        await _host.ExpectAsync(401, "GET", "/v1/customers/c-1/balances", key: key);
        var listed = await _host.ExpectAsync(200, "GET", "/v1/api-keys");
        Assert.DoesNotContain(key[14..], listed.Text, StringComparison.Ordinal);
        var admin = _host.Keys.List().Single(record => record.Scopes.HasFlag(Keys.KeyScopes.Admin));
        Assert.Equal("last_admin_key", (await _host.ExpectAsync(409, "POST", $"/v1/api-keys/{admin.Id}/revoke")).Code);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_host.Folder, "keys", "admin.key")));
        Assert.All(_host.Ledger.List(Keys.ApiKeys.SettingsScope), pair => Assert.DoesNotContain(_host.AdminKey[14..40], pair.Value, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_answer_has_rate_headers_and_too_many_are_told_when_to_come_back()
    {
        var made = (await _host.ExpectAsync(201, "POST", "/v1/api-keys", """{"name": "slow", "scopes": ["checkout"], "requests_per_second": 1}""")).Json;
        var key = made["key"]!.GetValue<string>();
        var last = await _host.SendAsync("GET", "/v1/customers/c-1/balances", key: key);
        Assert.Equal(("2", "1"), (last.Header("RateLimit-Limit"), last.Header("RateLimit-Remaining")));
        for (var i = 0; i < 50 && (int)last.Status != 429; i++) last = await _host.SendAsync("GET", "/v1/customers/c-1/balances", key: key);
        Assert.Equal((429, "rate_limited"), ((int)last.Status, last.Code));
        Assert.True(int.Parse(last.Header("Retry-After")!, CultureInfo.InvariantCulture) >= 1);
        Assert.Equal("2;w=2", last.Header("RateLimit-Policy"));
    }

    [Fact]
    public async Task A_broken_or_silent_ledger_is_503_without_a_word_of_the_inside()
    {
        _host.Broken!.Fault = new LedgerFaultException("disk full at sector 7");
        var broken = await _host.ExpectAsync(503, "POST", "/v1/redemptions", Redemption, "checkout");
        Assert.Equal("ledger_unavailable", broken.Code);
        Assert.NotNull(broken.Header("Retry-After"));
        Assert.DoesNotContain("sector", broken.Text, StringComparison.Ordinal);
        _host.Broken.Silent = true;
        Assert.Equal("timed_out", (await _host.ExpectAsync(503, "POST", "/v1/redemptions", Redemption, "checkout")).Code);
        _host.Broken.Silent = false;
        _host.Broken.Fault = new InvalidOperationException("secret");
        var bug = await _host.ExpectAsync(500, "POST", "/v1/redemptions", Redemption, "checkout");
        Assert.DoesNotContain("secret", bug.Text, StringComparison.Ordinal);
        _host.Broken.Fault = null;
        await _host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption, "checkout");
    }

    [Fact]
    public async Task A_void_that_comes_first_refuses_the_late_request()
    {
        await _host.ExpectAsync(202, "POST", "/v1/redemptions/r-1/void", key: "checkout");
        Assert.Equal("voided_before", (await _host.ExpectAsync(409, "POST", "/v1/redemptions", Redemption, "checkout")).Code);
    }

    [Fact]
    public async Task A_grant_reaches_everybody_once_and_sent_again_changes_nothing()
    {
        var body = $$"""{"id": "g-1", "customer_ids": [{{string.Join(',', Enumerable.Range(0, 120).Select(i => $"\"k-{i}\""))}}]}""";
        await _host.ExpectAsync(202, "POST", "/v1/campaigns/mine/grants", body);
        var operation = await _host.ExpectAsync(200, "GET", "/v1/operations/g-1");
        while (operation.Json["status"]!.GetValue<string>() == "running") operation = await _host.ExpectAsync(200, "GET", "/v1/operations/g-1");
        Assert.Equal(("done", 120), (operation.Json["status"]!.GetValue<string>(), operation.Json["done"]!.GetValue<int>()));
        Assert.Equal("true", (await _host.ExpectAsync(202, "POST", "/v1/campaigns/mine/grants", body)).Header(ApiCall.IdempotencyHitHeader));
        await _host.ExpectAsync(422, "POST", "/v1/campaigns/mine/grants", """{"id": "g-1", "customer_ids": ["k-0"]}""");
        for (var i = 0; i < 120; i += 17) Assert.Single(_host.Ledger.Reader.CouponsOf($"k-{i}"));
    }

    private static string Campaign(string id, string distribution) => $$$"""
        {"id": "{{{id}}}", "name": "Ten", "distribution": "{{{distribution}}}", "currency": "EUR", "benefit": {"type": "percent_off", "basis_points": 1000}}
        """;
}
