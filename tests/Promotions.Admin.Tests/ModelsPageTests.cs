using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Promotions.Admin.Tests;

/// <summary>What decides, what scores beside it, and whether the traffic is still the one that they learned from.</summary>
public sealed class ModelsPageTests(Browser browser) : IAsyncLifetime
{
    private AdminHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await AdminHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Champion_and_challenger_are_told_with_drift_agreement_and_what_would_have_been_blocked()
    {
        var page = await OpenAsync(1280);
        await Expect(page.Locator("[data-test=champion]")).ToContainTextAsync("c1c1c1c1c1c1");
        await Expect(page.Locator("[data-test=agreement]")).ToContainTextAsync("96.5");
        await Expect(page.Locator("[data-test=blocked]")).ToContainTextAsync("24");
        await Expect(page.Locator("[data-test=cost]")).ToContainTextAsync("40 labels");
        await Expect(page.Locator(".drifts .off")).ToHaveCountAsync(1);        // the one that has an alarm, not all that are high
        await Expect(page.Locator(".drifts .off")).ToContainTextAsync("0.41");
        await Expect(page.Locator(".drift-bars")).ToHaveCountAsync(3);
        await page.GetByText("Drift", new() { Exact = true }).Last.ClickAsync();
        await Expect(page.GetByText("Its file has no reference to compare with.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_promotion_is_proposed_by_keyboard_after_a_second_thought_and_a_refusal_is_said()
    {
        var page = await OpenAsync(1280);
        var row = page.Locator("[data-model=d2d2d2d2d2d2]");
        await row.GetByRole(AriaRole.Button, new() { Name = "Propose promotion" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(row.GetByText("Nothing changes until another person confirms it")).ToBeVisibleAsync();
        Assert.Empty(_host.Models.Taken);
        await row.GetByRole(AriaRole.Button, new() { Name = "Propose it" }).PressAsync("Enter");
        await Expect(page.Locator("[data-test=told]")).ToContainTextAsync("promotion proposed");
        await Expect(row).ToContainTextAsync("promotion proposed by Reviewer");
        Assert.Equal([(FixedModelDesk.Challenger, "promote", "reviewer-1")], _host.Models.Taken);

        _host.Models.Problem = "You proposed this promotion, so somebody else has to confirm it.";
        await row.GetByRole(AriaRole.Button, new() { Name = "Confirm promotion" }).ClickAsync();
        await row.GetByRole(AriaRole.Button, new() { Name = "Make it decide" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("somebody else has to confirm it");
    }

    [Fact]
    public async Task A_retraining_is_scheduled_and_begun_and_what_came_of_the_last_is_drawn()
    {
        var page = await OpenAsync(1280);
        var card = page.Locator("section", new() { Has = page.Locator("#retraining") });
        await Expect(card.Locator("[data-test=retraining]")).ToContainTextAsync("None begins by itself");
        await Expect(card.GetByRole(AriaRole.Img)).ToHaveAttributeAsync("aria-label", "Saves 11.00 EUR in a thousand attempts, between -2.00 EUR and 23.00 EUR");
        await Expect(card).ToContainTextAsync("looks better than it is");
        await card.GetByLabel("Every so many days").FillAsync("7");
        await card.GetByRole(AriaRole.Button, new() { Name = "Save" }).PressAsync("Enter");
        await Expect(card.Locator("[data-test=retraining]")).ToContainTextAsync("2026-06-10 03:00 UTC");
        await card.GetByRole(AriaRole.Button, new() { Name = "Retrain now" }).PressAsync("Enter");
        await Expect(card.Locator("[data-test=retraining]")).ToContainTextAsync("replaying the log");
        await Expect(card.GetByRole(AriaRole.Button, new() { Name = "Retrain now" })).ToBeDisabledAsync();
    }

    [Theory]
    [InlineData(375)]
    [InlineData(1280)]
    public async Task The_page_fits_and_says_when_there_is_nothing(int width)
    {
        var page = await OpenAsync(width);
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth"));
        _host.Models.IsEmpty = true;
        await page.ReloadAsync();
        await Expect(page.GetByText("No model decides")).ToBeVisibleAsync();
        await Expect(page.GetByText("No challenger")).ToBeVisibleAsync();
    }

    private async Task<IPage> OpenAsync(int width)
    {
        var page = await browser.OpenAsync(width, _host);
        await page.GotoAsync("/models");
        await page.GetByLabel("Admin key").FillAsync(AdminHost.Key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Models" })).ToBeVisibleAsync();
        return page;
    }
}
