using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Promotions.Api.Accounts;
using Promotions.Contracts;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Ledger;
using Promotions.Processing.Decisions;

namespace Promotions.Api.Tests;

/// <summary>Accounts that an admin freezes or blocks: refused at once, lifted by themselves or by somebody, every step audited.</summary>
public sealed class AccountTests : IAsyncLifetime
{
    private static readonly Actor Admin = new("admin", "k-1");

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_blocked_account_is_refused_with_its_own_code_until_somebody_opens_it()
    {
        Assert.Equal(("approved", null), await RedeemAsync("r-1"));
        var leaves = _host.Ledger.Audit.Size;
        var blocked = (await PutAsync(200, 0, "blocked")).Json;
        Assert.Equal(leaves + 1, _host.Ledger.Audit.Size);
        Assert.Equal(("blocked", 1L), (blocked["standing"]!.GetValue<string>(), blocked["version"]!.GetValue<long>()));
        Assert.Contains("account_blocked", blocked["consequence"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(("rejected", "account_blocked"), await RedeemAsync("r-2"));
        Assert.Equal(("approved", null), await RedeemAsync("r-3", "c-other"));
        Assert.Equal(("approved", null), await RedeemAsync("r-1"));                                // what was decided is repeated

        Assert.Equal(["c-1"], (await _host.ExpectAsync(200, "GET", "/v1/standings")).Json["accounts"]!.AsArray().Select(one => one!["customer_id"]!.GetValue<string>()));
        await PutAsync(200, 1, "open");
        Assert.Equal(("approved", null), await RedeemAsync("r-4"));
        Assert.Equal(("rejected", "account_blocked"), await RedeemAsync("r-2"));
        Assert.Empty((await _host.ExpectAsync(200, "GET", "/v1/standings")).Json["accounts"]!.AsArray());
        Assert.Equal(["open", "blocked"], (await _host.ExpectAsync(200, "GET", "/v1/customers/c-1/standing")).Json["steps"]!.AsArray().Select(step => step!["standing"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_barred_account_learns_nothing_about_codes()
    {
        await PutAsync(200, 0, "blocked");
        var answer = (await _host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption("r-1", "c-1", """, "redeemables": [{"type": "coupon", "code": "NEVER"}, {"type": "coupon", "code": "NOR-THIS"}]"""), "checkout")).Json;
        Assert.Equal("account_blocked", answer["reason_code"]!.GetValue<string>());
        Assert.All(answer["redeemables"]!.AsArray(), one => Assert.Equal("account_blocked", one!["reason_code"]!.GetValue<string>()));
        Assert.DoesNotContain("chargebacks", answer.ToJsonString(), StringComparison.Ordinal);     // the reason is for colleagues
    }

    [Theory]
    [InlineData("blocked")]
    [InlineData("frozen")]
    public async Task A_barred_account_qualifies_for_nothing_and_is_told_why(string standing)
    {
        await _host.ExpectAsync(201, "POST", "/v1/campaigns", """{"id": "spring", "name": "Spring", "distribution": "public", "currency": "EUR", "benefit": {"type": "percent_off", "basis_points": 1000}}""");
        await _host.ExpectAsync(201, "POST", "/v1/campaigns", """
            {"id": "big", "name": "Big", "distribution": "public", "currency": "EUR", "benefit": {"type": "percent_off", "basis_points": 1000}, "conditions": {"spend_min": {"amount": 900000, "currency": "EUR"}}}
            """);
        var cart = Redemption("q-1", "c-1", "").Replace("\"id\": \"q-1\", ", "", StringComparison.Ordinal);
        var open = (await _host.ExpectAsync(200, "POST", "/v1/qualifications", cart, "checkout")).Json;
        Assert.Null(open["reason_code"]);
        Assert.Equal((1, 1), (open["options"]!.AsArray().Count, open["near_misses"]!.AsArray().Count));

        await PutAsync(200, 0, standing, standing is "frozen" ? TimeProvider.System.GetUtcNow().AddDays(1).ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture) : "");
        var barred = (await _host.ExpectAsync(200, "POST", "/v1/qualifications", cart, "checkout")).Json;

        Assert.Equal("account_" + standing, barred["reason_code"]!.GetValue<string>());
        Assert.Empty(barred["options"]!.AsArray());
        Assert.Empty(barred["near_misses"]!.AsArray());
    }

    [Fact]
    public async Task Of_two_steps_at_one_version_one_is_taken_and_the_same_again_is_one()
    {
        await PutAsync(200, 0, "blocked");
        var leaves = _host.Ledger.Audit.Size;
        Assert.Equal(1, (await PutAsync(200, 0, "blocked")).Json["version"]!.GetValue<long>());
        Assert.Equal("stale_standing_version", (await PutAsync(409, 0, "open")).Code);
        Assert.Equal(leaves, _host.Ledger.Audit.Size);
    }

    [Theory]
    [InlineData("frozen", "", "/until", "required")]
    [InlineData("frozen", "2020-01-01T00:00:00Z", "/until", "in_past")]
    [InlineData("frozen", "2099-01-01T00:00:00Z", "/until", "out_of_range")]
    [InlineData("open", "2099-01-01T00:00:00Z", "/until", "not_allowed")]
    [InlineData("shut", "", "/standing", "unknown_value")]
    public async Task Each_mistake_has_one_code_and_changes_nothing(string standing, string until, string place, string code)
    {
        var answer = await PutAsync(400, 0, standing, until);
        var error = Assert.Single(answer.Json["errors"]!.AsArray())!;
        Assert.Equal((place, code), (error["pointer"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        Assert.Equal(0, (await _host.ExpectAsync(200, "GET", "/v1/customers/c-1/standing")).Json["version"]!.GetValue<long>());
    }

    [Fact]
    public async Task A_key_of_some_channels_sees_how_accounts_stand_and_changes_none()
    {
        var key = await _host.NewKeyAsync("\"admin\"", "\"web-de\"");
        await _host.ExpectAsync(200, "GET", "/v1/customers/c-1/standing", key: key);
        Assert.Equal("channel_not_allowed", (await _host.ExpectAsync(403, "PUT", "/v1/customers/c-1/standing", """{"version": 0, "standing": "blocked", "reason": "x"}""", key)).Code);
    }

    [Fact]
    public async Task The_dashboard_takes_the_same_steps_by_the_same_rules()
    {
        var key = _host.Keys.List().Single(record => record.Scopes.HasFlag(Keys.KeyScopes.Admin)).Id;
        var body = new StandingBody { Version = 0, Standing = "blocked", Reason = "three chargebacks" };
        Assert.Null((await _host.AccountDesk.PutAsync("c-1", body, key, TestContext.Current.CancellationToken)).Problem);
        Assert.Equal(("rejected", "account_blocked"), await RedeemAsync("r-1"));
        Assert.Equal(key, Assert.Single(_host.AccountDesk.Read("c-1").Steps).By);
        Assert.Equal("c-1", Assert.Single(_host.AccountDesk.Barred()).CustomerId);
        body.Standing = "open";
        Assert.Contains("meanwhile", (await _host.AccountDesk.PutAsync("c-1", body, key, TestContext.Current.CancellationToken)).Problem, StringComparison.Ordinal);
        Assert.Contains("no longer an admin's", (await _host.AccountDesk.PutAsync("c-1", body, "gone", TestContext.Current.CancellationToken)).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_freeze_ends_by_the_clock_and_its_end_is_outside()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.Parse("2026-05-01T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture));
        using var book = new AccountBook(_host.Ledger, clock);
        var until = EventTime.Now(clock).Plus(TimeSpan.FromHours(24));
        await book.PutAsync("c-1", 0, Standing.Frozen, "looking into it", until, Admin, TestContext.Current.CancellationToken);
        Assert.Equal(RefusalCode.AccountFrozen, book.Standings.RefusalOf("c-1", until.Plus(TimeSpan.FromMilliseconds(-1))));
        Assert.Equal(RefusalCode.None, book.Standings.RefusalOf("c-1", until));
        Assert.Single(book.Barred(10));
        clock.Advance(TimeSpan.FromHours(24));
        Assert.Empty(book.Barred(10));
        Assert.Equal(Standing.Open, book.Find("c-1").Steps[0].StandingAt(EventTime.Now(clock)));
    }

    [Fact]
    public async Task Another_process_sees_a_step_when_it_looks_again_even_where_the_first_died_before_it_told()
    {
        var clock = new FakeTimeProvider();
        using var first = new AccountBook(_host.Ledger, clock);
        using var second = new AccountBook(_host.Ledger, clock);
        await first.PutAsync("c-1", 0, Standing.Blocked, "told", null, Admin, TestContext.Current.CancellationToken);
        Assert.Equal(RefusalCode.None, second.Standings.RefusalOf("c-1", default));
        second.Refresh();
        Assert.Equal(RefusalCode.AccountBlocked, second.Standings.RefusalOf("c-1", default));

        // The step of a process that died before it moved the number that others look at.
        var settings = _host.Ledger;
        await settings.PutAsync("account-standings", "c-2", settings.Find("account-standings", "c-1")!.Replace("c-1", "c-2", StringComparison.Ordinal), Admin, TestContext.Current.CancellationToken);
        second.Refresh();
        Assert.Equal(RefusalCode.None, second.Standings.RefusalOf("c-2", default));
        clock.Advance(TimeSpan.FromSeconds(31));
        second.Refresh();
        Assert.Equal(RefusalCode.AccountBlocked, second.Standings.RefusalOf("c-2", default));
    }

    [Fact]
    public async Task A_flag_above_the_level_freezes_its_account_once_and_nobody_is_overruled()
    {
        await using var host = await ApiHost.StartAsync(score: 0.9f);
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var book = new AccountBook(host.Ledger, clock);
        var rules = new FlagRulesStore(host.Ledger);
        var freezer = new FlagFreezer(host.Ledger.Reader, book, rules, clock);
        await host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption("r-before", "c-before", ""), "checkout");
        Assert.NotNull(host.Ledger.Reader.FindFlag("r-before"));
        Assert.Equal(0, await freezer.FreezeAsync(TestContext.Current.CancellationToken));             // off until an admin sets it

        clock.Advance(TimeSpan.FromSeconds(1));
        await rules.PutAsync(new(0.9, 0.95, 24, 0), Admin);
        Assert.Equal(0, await freezer.FreezeAsync(TestContext.Current.CancellationToken));             // 0.9 is below it
        await rules.PutAsync(new(0.9, 0.8, 24, host.Ledger.Reader.FindDecision("r-before")!.DecidedAt.UnixMilliseconds + 1), Admin);
        Assert.Equal(0, await freezer.FreezeAsync(TestContext.Current.CancellationToken));             // the flag is older than the setting
        await rules.PutAsync(new(0.9, 0.8, 24, 0), Admin);
        var leaves = host.Ledger.Audit.Size;
        Assert.Equal(1, await freezer.FreezeAsync(TestContext.Current.CancellationToken));
        Assert.Equal(leaves + 1, host.Ledger.Audit.Size);
        var step = book.Find("c-before").Steps[0];
        Assert.Equal((Standing.Frozen, "flag-freeze", 24 * 3_600_000L), (step.Standing, step.By, step.Until - step.At));
        Assert.Contains("r-before", step.Reason, StringComparison.Ordinal);
        Assert.Equal(0, await freezer.FreezeAsync(TestContext.Current.CancellationToken));

        // A person opens it, and a process that starts anew looks at the same flag again.
        await book.PutAsync("c-before", 1, Standing.Open, "it was the family", null, Admin, TestContext.Current.CancellationToken);
        Assert.Equal(0, await new FlagFreezer(host.Ledger.Reader, book, rules, clock).FreezeAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_levels_are_set_checked_and_audited()
    {
        Assert.Null((await _host.ExpectAsync(200, "GET", "/v1/policies/flags")).Json["freeze_from"]);
        var leaves = _host.Ledger.Audit.Size;
        await _host.ExpectAsync(200, "PUT", "/v1/policies/flags", """{"notify_from": 0.7, "freeze_from": 0.95, "freeze_hours": 48}""");
        Assert.Equal(leaves + 1, _host.Ledger.Audit.Size);
        var told = (await _host.ExpectAsync(200, "GET", "/v1/policies/flags")).Json;
        Assert.Equal((0.7, 0.95, 48), (told["notify_from"]!.GetValue<double>(), told["freeze_from"]!.GetValue<double>(), told["freeze_hours"]!.GetValue<int>()));
        Assert.Equal(0.7, _host.AccountDesk.NotifyFrom);
        await _host.ExpectAsync(400, "PUT", "/v1/policies/flags", """{"notify_from": 1.1, "freeze_hours": 48}""");
        await _host.ExpectAsync(400, "PUT", "/v1/policies/flags", """{"notify_from": 0.7, "freeze_hours": 721}""");
    }

    private Task<Answer> PutAsync(int status, long version, string standing, string until = "") => _host.ExpectAsync(
        status, "PUT", "/v1/customers/c-1/standing", $$"""{"version": {{version}}, "standing": "{{standing}}", "reason": "three chargebacks"{{(until.Length > 0 ? $", \"until\": \"{until}\"" : "")}}}""");

    private async Task<(string Status, string? Reason)> RedeemAsync(string id, string customer = "c-1")
    {
        JsonNode answer = (await _host.ExpectAsync(200, "POST", "/v1/redemptions", Redemption(id, customer, ""), "checkout")).Json;
        return (answer["status"]!.GetValue<string>(), answer["reason_code"]?.GetValue<string>());
    }

    private static string Redemption(string id, string customer, string more) => $$"""
        {"id": "{{id}}", "channel": "web-de", "customer": {"id": "{{customer}}"},
         "order": {"id": "o-1", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 2, "unit_price": {"amount": 1500, "currency": "EUR"} }]}{{more}} }
        """;
}
