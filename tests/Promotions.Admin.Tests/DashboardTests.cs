using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Playwright;
using Promotions.Domain.Events;
using static Microsoft.Playwright.Assertions;

[assembly: AssemblyFixture(typeof(Promotions.Admin.Tests.Browser))]

namespace Promotions.Admin.Tests;

public sealed class DashboardTests(Browser browser) : IAsyncLifetime
{
    private AdminHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await AdminHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private Task<IPage> SignedInAsync(string path, int width = 1280, ColorScheme colors = ColorScheme.Light) => SignedInAsync(_host, path, width, colors);

    private async Task<IPage> SignedInAsync(AdminHost host, string path, int width = 1280, ColorScheme colors = ColorScheme.Light)
    {
        var page = await browser.OpenAsync(width, host, colors);
        await page.GotoAsync(path);
        await page.GetByLabel("Admin key").FillAsync(AdminHost.Key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToBeVisibleAsync();
        return page;
    }

    [Fact]
    public async Task Nobody_sees_a_page_without_a_key_and_a_wrong_key_says_so()
    {
        var page = await browser.OpenAsync(1280, _host);
        await page.GotoAsync("/campaigns");
        await Expect(page).ToHaveURLAsync(new Regex("/sign-in"));
        await page.GetByLabel("Admin key").FillAsync("a-guess");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not known");

        await page.GetByLabel("Admin key").FillAsync(AdminHost.Key);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(new Regex("/campaigns$"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/sign-in"));
        await page.GotoAsync("/review");
        await Expect(page).ToHaveURLAsync(new Regex("/sign-in"));
    }

    [Fact]
    public async Task A_link_cannot_send_the_signed_in_person_to_another_site()
    {
        var page = await browser.OpenAsync(1280, _host);
        await page.GotoAsync("/sign-in?returnUrl=//evil.example/");
        await page.GetByLabel("Admin key").FillAsync(AdminHost.Key);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Live" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Forms_without_the_antiforgery_token_and_circuits_without_a_session_are_refused()
    {
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = _host.Address };
        var token = TestContext.Current.CancellationToken;
        Assert.Equal(HttpStatusCode.BadRequest, (await client.PostAsync("/sign-in", new FormUrlEncodedContent([new("key", AdminHost.Key)]), token)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.PostAsync("/_blazor/negotiate", null, token)).StatusCode);
        Assert.Contains("default-src 'self'", (await client.GetAsync("/sign-in", token)).Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revoked_key_ends_its_open_pages_and_its_cookie()
    {
        await Fixture.FillAsync(_host);
        var page = await SignedInAsync("/campaigns");       // reads nothing by itself
        await Expect(page.Locator("[data-row]")).ToHaveCountAsync(2);
        _host.Revoked = true;
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("its key is no longer valid");
        await Expect(page).ToHaveURLAsync(new Regex("/sign-in"));
        await page.GotoAsync("/review");
        await Expect(page).ToHaveURLAsync(new Regex("/sign-in"));
        await page.GetByLabel("Admin key").FillAsync(AdminHost.Key);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not known here");
    }

    [Fact]
    public async Task An_action_with_a_key_revoked_meanwhile_is_not_done()
    {
        await using var host = await AdminHost.StartAsync(options => options.RefreshEvery = options.SessionCheckEvery = TimeSpan.FromHours(1));
        await Fixture.FillAsync(host);
        var page = await SignedInAsync(host, "/decisions/r-blocked");
        var agree = page.GetByRole(AriaRole.Button, new() { Name = "Agree: abuse" });
        await Expect(agree).ToBeVisibleAsync();
        host.Revoked = true;
        await agree.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("its key is no longer valid");
        Assert.Null(host.Ledger.Reader.FindFlag("r-blocked")!.Answer);
    }

    [Fact]
    public async Task After_some_wrong_keys_signing_in_waits_and_says_how_long()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var host = await AdminHost.StartAsync(options => options.SignInTriesPerAddressMax = 3, time);
        var page = await browser.OpenAsync(1280, host);
        await page.GotoAsync("/sign-in");
        for (var i = 0; i < 3; i++)
        {
            await TryAsync("a-guess-" + i);
            await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not known here");
        }

        time.Advance(TimeSpan.FromSeconds(60));
        var refused = page.WaitForResponseAsync(response => response.Request.Method == "POST");
        await TryAsync(AdminHost.Key);      // even the right one: who guesses must not learn when they hit
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Try again in 240 seconds");
        Assert.Equal((429, "240"), ((await refused).Status, (await (await refused).AllHeadersAsync())["retry-after"]));

        time.Advance(TimeSpan.FromSeconds(240));
        await TryAsync(AdminHost.Key);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Live" })).ToBeVisibleAsync();

        async Task TryAsync(string key)
        {
            await page.GetByLabel("Admin key").FillAsync(key);
            await page.Keyboard.PressAsync("Enter");
        }
    }

    [Fact]
    public async Task Live_shows_decisions_as_they_come()
    {
        await Fixture.FillAsync(_host);
        var page = await SignedInAsync("/");
        var rows = page.Locator("[data-row]");
        await Expect(rows).ToHaveCountAsync(4);
        await Expect(rows.First).ToContainTextAsync("rejected");
        await Expect(rows.First).ToContainTextAsync("spend below minimum");
        await Expect(page.Locator(".mix")).ToContainTextAsync("blocked");
        await Expect(page.Locator(".quantiles")).ToContainTextAsync("ms");

        await Fixture.DecideAsync(_host, "r-later", "erna", RedemptionStatus.Approved, 0.01);
        await Expect(rows).ToHaveCountAsync(5);
        await Expect(rows.First).ToContainTextAsync("erna");

        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Fixture.DecideAsync(_host, "r-paused", "fred", RedemptionStatus.Approved, 0.01);
        await page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(6);
    }

    [Fact]
    public async Task Empty_pages_say_what_to_do()
    {
        var page = await SignedInAsync("/");
        await Expect(page.GetByText("No decisions yet")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Review", Exact = true }).ClickAsync();
        await Expect(page.GetByText("The queue is empty")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Campaigns" }).ClickAsync();
        await Expect(page.GetByText("No campaigns yet")).ToBeVisibleAsync();
        await page.GotoAsync("/decisions/r-unknown");
        await Expect(page.GetByText("No such redemption")).ToBeVisibleAsync();
        await page.GotoAsync("/campaigns/unknown");
        await Expect(page.GetByText("No such campaign")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_broken_ledger_shows_an_error_and_the_page_heals()
    {
        await Fixture.FillAsync(_host);
        _host.Reader.Broken = true;
        var page = await SignedInAsync("/campaigns");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("could not be read");
        _host.Reader.Broken = false;
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(page.Locator("[data-row]")).ToHaveCountAsync(2);

        _host.Reader.Broken = true;
        await page.GetByRole(AriaRole.Link, new() { Name = "Live" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        _host.Reader.Broken = false;
        await Expect(page.Locator("[data-row]")).ToHaveCountAsync(4);   // by itself
    }

    [Fact]
    public async Task A_flag_explains_itself_and_an_answer_becomes_a_label()
    {
        await Fixture.FillAsync(_host);
        var page = await SignedInAsync("/decisions/r-blocked");

        await Expect(page.Locator("[data-test=probability]")).ToContainTextAsync("97.0 %");
        await Expect(page.GetByText("9 accounts redeemed from this device in 24 h; 99 % of devices have at most 2.")).ToBeVisibleAsync();
        await Expect(page.Locator(".waterfall li")).ToHaveCountAsync(5);
        await Expect(page.Locator(".waterfall li").Last).ToContainTextAsync("+3.48");       // ln(0.97 / 0.03)
        await Expect(page.Locator(".waterfall li").First).ToContainTextAsync("+0.58");      // what the three reasons leave
        await Expect(page.Locator(".entities")).ToContainTextAsync("203.0.113.0/24");
        await Expect(page.Locator(".entities")).ToContainTextAsync("absent");

        await Expect(page.Locator("[data-test=smallest-change]")).ToContainTextAsync("The decision was made on feature layout 0000000000000007");

        await page.GetByLabel("Note").FillAsync("The farm of last week");
        await page.GetByRole(AriaRole.Button, new() { Name = "Agree: abuse" }).ClickAsync();
        await Expect(page.Locator("[data-test=answer]")).ToContainTextAsync("Abuse, says reviewer-1");
        var flag = _host.Ledger.Reader.FindFlag("r-blocked");
        Assert.Equal((true, "reviewer-1"), (flag!.Answer, flag.AnsweredBy));
    }

    [Fact]
    public async Task An_approved_decision_is_explained_when_somebody_asks_and_a_model_that_is_gone_is_said()
    {
        await Fixture.FillAsync(_host);
        await Fixture.DecideAsync(_host, "r-older", "emil", RedemptionStatus.Approved, 0.02, model: "0123456789abcdef");
        var page = await SignedInAsync("/decisions/r-approved");
        await Expect(page.Locator(".evidence li").First).ToContainTextAsync("Customer.age is 730.");
        await Expect(page.Locator(".waterfall li").Nth(1)).ToContainTextAsync("−0.73");
        await Expect(page.GetByText("computed now, from the recorded vector")).ToBeVisibleAsync();

        await page.GotoAsync("/decisions/r-older");
        await Expect(page.Locator("[data-test=reasons-missing]")).ToContainTextAsync("(0123456789ab) is not loaded here");
        await Expect(page.Locator(".waterfall")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_campaign_draws_what_it_caused()
    {
        await Fixture.FillAsync(_host);
        _host.Results.ByCampaign["spring-10"] = Fixture.AResult("spring-10", enough: true);
        var page = await SignedInAsync("/campaigns/spring-10");
        await Expect(page.GetByText("16,537.50 EUR more sales")).ToBeVisibleAsync();
        await Expect(page.Locator(".result table")).ToContainTextAsync("2,700");
        await Expect(page.Locator(".chart .js-fill path, .chart path.js-fill")).Not.ToHaveCountAsync(0);   // the bands
        await Expect(page.Locator(".chart path.js-line")).Not.ToHaveCountAsync(0);
        await Expect(page.Locator("[data-test=computed]")).ToContainTextAsync("Computed at");

        // New facts arrive, and the open page shows what they make of it.
        _host.Results.ByCampaign["spring-10"] = Fixture.AResult("spring-10", enough: false);
        await Fixture.DecideAsync(_host, "r-news", "gina", RedemptionStatus.Approved, 0.01);
        await Expect(page.Locator("[data-test=too-little]")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Too_little_data_and_an_absent_store_say_so_instead_of_a_number()
    {
        await Fixture.FillAsync(_host);
        _host.Results.ByCampaign["spring-10"] = Fixture.AResult("spring-10", enough: false);
        var page = await SignedInAsync("/campaigns/spring-10");
        await Expect(page.Locator("[data-test=too-little]")).ToContainTextAsync("both arms need at least 30");
        await Expect(page.Locator(".chart")).ToHaveCountAsync(0);

        await page.GotoAsync("/campaigns/tea-5");
        await Expect(page.GetByText("The analytics store does not answer")).ToBeVisibleAsync();
        await Expect(page.GetByText("Five off for tea drinkers").First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Lists_are_walked_with_j_and_k_and_opened_with_enter()
    {
        await Fixture.FillAsync(_host);
        var page = await SignedInAsync("/campaigns");
        var rows = page.Locator("[data-row]");
        await Expect(rows).ToHaveCountAsync(2);
        await page.Keyboard.PressAsync("j");
        await Expect(rows.Nth(0)).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("j");
        await Expect(rows.Nth(1)).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("j");
        await Expect(rows.Nth(1)).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("k");
        await Expect(rows.Nth(0)).ToBeFocusedAsync();
        Assert.NotEqual("none", await rows.Nth(0).EvaluateAsync<string>("row => getComputedStyle(row).outlineStyle"));
        await page.Keyboard.PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(new Regex("/campaigns/spring-10$"));
    }

    [Fact]
    public async Task The_skip_link_comes_first_and_leads_to_the_content()
    {
        var page = await SignedInAsync("/campaigns");
        await page.ReloadAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Campaigns", Exact = true })).ToBeFocusedAsync();
        await page.EvaluateAsync("document.activeElement.blur(); document.querySelector('a.skip').focus()");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#main")).ToBeFocusedAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/campaigns$"));
    }

    [Theory]
    [InlineData(375)]
    [InlineData(1280)]
    public async Task Every_page_fits_its_width(int width)
    {
        await Fixture.FillAsync(_host);
        await Fixture.DecideAsync(_host, "r-with-the-longest-id-that-is-allowed-0123456789012345678901234", new string('c', 64), RedemptionStatus.Review, 0.6);
        _host.Results.ByCampaign["spring-10"] = Fixture.AResult("spring-10", enough: true);
        _host.Results.ByCampaign["tea-5"] = Fixture.AResult("tea-5", enough: false);
        _host.System.Answer = SystemPageTests.TwoPipelines(restoring: true);
        var page = await SignedInAsync("/", width);
        foreach (var (name, path, ready) in new[]
        {
            ("live", "/", "[data-row]"), ("review", "/review/r-blocked", ".waterfall"), ("decision", "/decisions/r-blocked", ".waterfall"), ("campaigns", "/campaigns", "[data-row]"),
            ("campaign", "/campaigns/spring-10", ".chart path.js-line"), ("campaign-little", "/campaigns/tea-5", "[data-test=too-little]"),
            ("system", "/system", ".tasks"),
        })
        {
            foreach (var colors in new[] { ColorScheme.Light, ColorScheme.Dark })
            {
                await page.EmulateMediaAsync(new() { ColorScheme = colors });
                await page.GotoAsync(path);
                await Expect(page.Locator(ready).First).ToBeVisibleAsync();
                var overflow = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
                Assert.True(overflow <= 0, $"{path} is {overflow} px too wide at {width} px.");
                if (Environment.GetEnvironmentVariable("PROMOTIONS_SCREENSHOTS") is { Length: > 0 } folder)
                    await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{width}-{colors}.png".ToLowerInvariant()), FullPage = true });
            }
        }
    }
}
