using Microsoft.Playwright;
using Promotions.Domain.Events;
using static Microsoft.Playwright.Assertions;

namespace Promotions.Admin.Tests;

/// <summary>The Review page as somebody works through it who never touches the mouse.</summary>
public sealed class ReviewPageTests(Browser browser) : IAsyncLifetime
{
    private AdminHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await AdminHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    /// <summary>Costs: r-review 0.55 · max(5.00, 5 · 5.00) = 13.75; r-likely 0.8 · 25.00 = 20.00; r-blocked 0.03 · 20.00 = 0.60 EUR.</summary>
    private async Task<IPage> OpenAsync(string path = "/review", int width = 1280)
    {
        await Fixture.FillAsync(_host);
        await Fixture.DecideAsync(_host, "r-likely", "emil", RedemptionStatus.Review, 0.8);
        var page = await browser.OpenAsync(width, _host);
        await page.GotoAsync(path);
        await page.GetByLabel("Admin key").FillAsync(AdminHost.Key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.Locator(".cases .row")).ToHaveCountAsync(3);
        return page;
    }

    private bool? AnswerOf(string id) => _host.Ledger.Reader.FindFlag(id)!.Answer;

    [Fact]
    public async Task The_dearest_comes_first_and_the_keyboard_answers_skips_and_takes_back()
    {
        var page = await OpenAsync();
        var rows = page.Locator(".cases .row");
        var title = page.Locator(".case h2.id");
        await Expect(rows.Nth(0)).ToContainTextAsync("20.00 EUR");
        await Expect(rows.Nth(1)).ToContainTextAsync("13.75 EUR");
        await Expect(rows.Nth(2)).ToContainTextAsync("0.60 EUR");
        await Expect(title).ToHaveTextAsync("r-likely");
        await Expect(page.Locator(".waterfall")).ToBeVisibleAsync();
        await Expect(page.Locator(".timeline circle")).ToHaveCountAsync(1);
        await Expect(page.GetByText("No other case with a label")).ToBeVisibleAsync();

        await page.Keyboard.PressAsync("j");
        await Expect(title).ToHaveTextAsync("r-review");
        await Expect(rows.Nth(1)).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ArrowUp");
        await Expect(title).ToHaveTextAsync("r-likely");
        await page.Keyboard.PressAsync("f");
        await Expect(rows).ToHaveCountAsync(2);
        await Expect(title).ToHaveTextAsync("r-review");
        await Expect(rows.Nth(0)).ToBeFocusedAsync();
        await Expect(page.Locator("[data-test=progress]")).ToHaveTextAsync("1 of 50 answered today");
        await Expect(page.Locator("[data-test=last]")).ToContainTextAsync("r-likely: abuse");
        Assert.True(AnswerOf("r-likely"));
        await Expect(page.GetByText("0 apart: alike in device.distinct_customers.1d")).ToBeVisibleAsync();      // the one just judged is a past case now

        // Thought better of it: the newest answer counts, and each is a label.
        await page.Keyboard.PressAsync("u");
        await Expect(page.Locator("[data-test=answer]")).ToContainTextAsync("Abuse, says reviewer-1");
        await page.Keyboard.PressAsync("a");
        await Expect(page.Locator("[data-test=last]")).ToContainTextAsync("r-likely: honest");
        Assert.False(AnswerOf("r-likely"));
        Assert.Equal([true, false], _host.Ledger.Reader.LabelsOf(["r-likely"]).Select(label => label.Abuse));
        await Expect(page.Locator("[data-test=progress]")).ToHaveTextAsync("1 of 50 answered today");

        await Expect(title).ToHaveTextAsync("r-review");
        await page.Keyboard.PressAsync("s");
        await Expect(title).ToHaveTextAsync("r-blocked");
        await Expect(rows.Nth(1)).ToContainTextAsync("bert");

        // What is written is written, and no key of the page.
        await page.GetByLabel("Note").FillAsync("");
        await page.GetByLabel("Note").PressSequentiallyAsync("safe: a farm of ours? u j k");
        await Expect(title).ToHaveTextAsync("r-blocked");
        await page.Locator("body").ClickAsync(new() { Position = new() { X = 2, Y = 2 } });
        await page.Keyboard.PressAsync("?");
        await Expect(page.Locator("#keys")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("a");
        await Expect(rows).ToHaveCountAsync(1);
        Assert.Equal("safe: a farm of ours? u j k", _host.Ledger.Reader.LabelsOf(["r-blocked"]).Single().Note);
        await page.Keyboard.PressAsync("f");
        await Expect(page.GetByText("The queue is empty")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_graph_is_walked_by_keyboard_and_leads_back()
    {
        var page = await OpenAsync("/review/r-review");
        var middle = page.Locator("[data-test=middle]");
        await Expect(middle).ToContainTextAsync("account bert: 1 attempt, 1 flagged");
        var device = page.GetByRole(AriaRole.Button, new() { NameRegex = new("^device .*5 attempts, 3 flagged, 5 accounts") });
        await Expect(device).ToHaveCountAsync(1);
        await device.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(middle).ToContainTextAsync("device");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^account carl") }).ClickAsync();
        await Expect(middle).ToContainTextAsync("account carl");
        await page.GetByRole(AriaRole.Button, new() { Name = "Back to this case" }).ClickAsync();
        await Expect(middle).ToContainTextAsync("account bert");
    }

    [Fact]
    public async Task An_answer_of_a_colleague_takes_the_case_away_and_a_ledger_that_is_away_is_said()
    {
        var page = await OpenAsync("/review/r-review");
        await Expect(page.Locator(".case h2.id")).ToHaveTextAsync("r-review");
        await new Promotions.Processing.Reviews.ReviewDesk(_host.Ledger.Reader, new LabelGateway(_host.Ledger), TimeProvider.System)
            .AnswerAsync("r-review", true, null, "colleague", TestContext.Current.CancellationToken);
        await Expect(page.Locator(".cases .row")).ToHaveCountAsync(2);
        await Expect(page.Locator("[data-test=answer]")).ToContainTextAsync("Abuse, says colleague");

        _host.Reader.Broken = true;
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("could not be read");
        _host.Reader.Broken = false;
        await Expect(page.Locator(".cases .row")).ToHaveCountAsync(2);       // by itself
    }
}
