using System.Globalization;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Promotions.Admin.Tests;

/// <summary>The Accounts page as somebody uses it who stops a customer, and thinks better of it.</summary>
public sealed class AccountsPageTests(Browser browser) : IAsyncLifetime
{
    private AdminHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await AdminHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_customer_is_looked_up_blocked_with_a_reason_undone_and_frozen_by_keyboard()
    {
        await Fixture.FillAsync(_host);
        var page = await OpenAsync("/accounts");
        await Expect(page.GetByText("Every account is open")).ToBeVisibleAsync();
        await page.GetByLabel("Customer's id").FillAsync("no such id");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("An id is 1 to 64");
        await page.GetByLabel("Customer's id").FillAsync("carl");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("carl");
        await Expect(page.GetByText("of 1: 0 flagged, 1 blocked")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Block" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Say why");
        Assert.Empty(_host.Accounts.Taken);
        await page.GetByLabel("Reason").FillAsync("three chargebacks");
        await page.GetByLabel("Ends after days").FillAsync("");
        await page.GetByRole(AriaRole.Button, new() { Name = "Block" }).ClickAsync();
        await Expect(page.Locator("[data-test=standing]")).ToContainTextAsync("until it is lifted");
        await Expect(page.Locator("[data-test=consequence]")).ToContainTextAsync("account_blocked");

        await page.GetByRole(AriaRole.Button, new() { Name = "Undo the last step" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The account is open.");
        await page.GetByLabel("Reason").FillAsync("looking into it");
        await page.GetByLabel("Ends after days").FillAsync("2");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("[data-test=standing]")).ToContainTextAsync("frozen");
        Assert.Equal(["blocked", "open", "frozen"], _host.Accounts.Taken.Select(step => step.Body.Standing));
        Assert.All(_host.Accounts.Taken, step => Assert.Equal("reviewer-1", step.KeyId));
        var until = DateTimeOffset.Parse(_host.Accounts.Taken[2].Body.Until!, CultureInfo.InvariantCulture);
        Assert.InRange(until - TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(47), TimeSpan.FromHours(48));

        // Undoing a step after a block brings the block back.
        await page.GetByLabel("Reason").FillAsync("it is fraud");
        await page.GetByRole(AriaRole.Button, new() { Name = "Block" }).ClickAsync();
        await Expect(page.Locator("[data-test=standing]")).ToContainTextAsync("blocked");
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo the last step" }).ClickAsync();
        await Expect(page.Locator("[data-test=standing]")).ToContainTextAsync("frozen");
        Assert.Equal(_host.Accounts.Taken[2].Body.Until, _host.Accounts.Taken[4].Body.Until);
    }

    [Fact]
    public async Task What_is_not_taken_is_said_and_what_cannot_be_read_is_read_again()
    {
        var page = await OpenAsync("/accounts/never-seen");
        await Expect(page.GetByText("This customer never tried to redeem anything")).ToBeVisibleAsync();
        _host.Accounts.Problem = "Somebody changed this account meanwhile.";
        await page.GetByLabel("Reason").FillAsync("three chargebacks");
        await page.GetByRole(AriaRole.Button, new() { Name = "Freeze" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Somebody changed");
        await Expect(page.GetByLabel("Reason")).ToHaveValueAsync("three chargebacks");

        _host.Reader.Broken = true;
        await page.ReloadAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("could not be read");
        _host.Reader.Broken = false;
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(page.Locator("[data-test=standing]")).ToContainTextAsync("open");
    }

    [Theory]
    [InlineData(375)]
    [InlineData(1280)]
    public async Task Both_pages_fit(int width)
    {
        await Fixture.FillAsync(_host);
        await _host.Accounts.PutAsync("carl", new() { Version = 0, Standing = "blocked", Reason = "three chargebacks in May, and the parcels went to a locker" }, "reviewer-1", TestContext.Current.CancellationToken);
        await _host.Accounts.PutAsync("dora", new() { Version = 0, Standing = "frozen", Reason = "asked by the bank", Until = "2099-01-02T10:00:00Z" }, "reviewer-1", TestContext.Current.CancellationToken);
        var page = await OpenAsync("/accounts", width);
        await Expect(page.Locator(".accounts .row")).ToHaveCountAsync(2);
        await FitsAsync(page, $"accounts-{width}.png");
        await page.Locator(".accounts .row").First.ClickAsync();
        await Expect(page.Locator("[data-test=standing]")).ToContainTextAsync("blocked");
        await FitsAsync(page, $"account-{width}.png");
    }

    [Fact]
    public async Task The_bell_counts_unanswered_flags_above_the_level()
    {
        var page = await OpenAsync("/accounts");
        await Fixture.FillAsync(_host);                                                        // 97 % and 55 %
        await Expect(page.Locator(".bell")).ToContainTextAsync("1 flag from 90 % on");
        _host.Accounts.NotifyFrom = 0.5;
        await Expect(page.Locator(".bell")).ToContainTextAsync("2 flags from 50 % on");
        foreach (var id in (string[])["r-blocked", "r-review"])
        {
            var label = new Promotions.Domain.Events.LabelRecorded("answer-" + id, id, false, "review", null, "reviewer-1", Fixture.Start, new("carl", null, null, null, [], null, null));
            Assert.True((await _host.Ledger.ExecuteAsync(new Promotions.Ledger.RecordLabel(new("admin", "reviewer-1"), label), Promotions.Ledger.Lane.Decision, TestContext.Current.CancellationToken)).Accepted);
        }

        await Expect(page.Locator(".bell")).ToHaveCountAsync(0);
    }

    private static async Task FitsAsync(IPage page, string picture)
    {
        Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0);
        if (Environment.GetEnvironmentVariable("PROMOTIONS_SCREENSHOTS") is { Length: > 0 } folder)
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, picture), FullPage = true });
    }

    private async Task<IPage> OpenAsync(string path, int width = 1280)
    {
        var page = await browser.OpenAsync(width, _host);
        await page.GotoAsync(path);
        await page.GetByLabel("Admin key").FillAsync(AdminHost.Key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToBeVisibleAsync();
        return page;
    }
}
