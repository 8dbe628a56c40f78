using Microsoft.Playwright;
using Promotions.Contracts;
using static Microsoft.Playwright.Assertions;

namespace Promotions.Admin.Tests;

/// <summary>The System page as an operator meets it: during a rebalance, a death, in one process, and before anybody has spoken.</summary>
public sealed class SystemPageTests(Browser browser) : IAsyncLifetime
{
    private const string Requests = "redemption-requests";
    private AdminHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await AdminHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_rebalance_is_seen_as_it_happens()
    {
        _host.System.Answer = TwoPipelines(restoring: false);
        var page = await OpenAsync();
        await Expect(page.Locator("[data-test=members]")).ToContainTextAsync("2 of 2 running");
        await Expect(page.Locator("[data-test=tasks]")).ToContainTextAsync("16 active");
        await Expect(page.Locator(".tasks .task.active.running")).ToHaveCountAsync(16);
        await Expect(page.Locator(".tasks .task.standby")).ToHaveCountAsync(8);
        await Expect(page.Locator(".lags tbody tr")).ToHaveCountAsync(16);
        await Expect(page.Locator("[data-test=lag]")).ToContainTextAsync("0 records");
        await Expect(page.Locator("[data-test=sequencer]")).ToContainTextAsync("180 ms");
        await Expect(page.Locator("[data-test=outcomes]")).ToContainTextAsync("340 ms");
        await Expect(page.GetByText("clickhouse")).ToBeVisibleAsync();

        _host.System.Answer = TwoPipelines(restoring: true);
        await Expect(page.Locator(".tasks .task.restoring")).ToHaveCountAsync(2);
        await Expect(page.Locator(".members")).ToContainTextAsync("restoring 2: 180,000 records left, about 30 s");
        await Expect(page.Locator(".tasks .task.restoring").First).ToHaveAttributeAsync("title", "active, restoring, 120,000 records left, about 30 s");
        await Expect(page.Locator("[data-test=lag]")).ToContainTextAsync("4,500 records");
        await Expect(page.Locator(".lags .lag-bars path[d*=M]")).Not.ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_member_that_died_is_told_from_those_that_work()
    {
        var alive = TwoPipelines(restoring: false);
        _host.System.Answer = alive with { Members = [alive.Members[0], alive.Members[1] with { State = "silent" }] };
        var page = await OpenAsync();
        await Expect(page.Locator("[data-test=members]")).ToContainTextAsync("1 of 2 running");
        await Expect(page.Locator("[data-test=tasks]")).ToContainTextAsync("8 active");
        await Expect(page.Locator(".members .badge.blocked")).ToContainTextAsync("silent");
        await Expect(page.Locator(".lags tbody tr")).ToHaveCountAsync(8);
        await Expect(page.Locator(".tasks .away")).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task The_embedded_system_shows_one_process_with_its_log()
    {
        _host.System.Answer = new(
            "embedded", "2026-03-01T12:00:00.000Z",
            [new("shop-77", "shop", 77, "running", null, "2026-03-01T11:00:00.000Z", "2026-03-01T12:00:00.000Z", [new(0, "log", 0, "active", "running", 3, "2026-03-01T11:59:59.500Z", 0, null)], null)],
            new(41_234, 41_000, 3, 0, 0), [], 0);
        var page = await OpenAsync();
        await Expect(page.Locator("[data-test=position]")).ToContainTextAsync("41,234");
        await Expect(page.GetByText("Checkpoint 41,000, 234 behind; 3 in the queue")).ToBeVisibleAsync();
        await Expect(page.GetByText("They follow their decisions in the same batch.")).ToBeVisibleAsync();
        await Expect(page.Locator(".tasks .task")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Nobody_there_and_nothing_known_say_so_and_the_page_heals()
    {
        var page = await OpenAsync();       // the port throws
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Decisions do not depend on it");
        _host.System.Answer = TwoPipelines(restoring: false) with { Members = [] };
        await Expect(page.GetByText("No pipeline has said anything")).ToBeVisibleAsync();
        _host.System.Answer = TwoPipelines(restoring: false);
        await Expect(page.Locator(".tasks")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Wide_tables_are_scrolled_by_keyboard_and_told_to_those_who_do_not_see()
    {
        var many = TwoPipelines(restoring: true, partitions: 64);
        _host.System.Answer = many;
        var page = await OpenAsync(375);
        var region = page.GetByRole(AriaRole.Region, new() { Name = "Tasks by member and partition" });
        await region.FocusAsync();
        await Expect(region).ToBeFocusedAsync();
        for (var i = 0; i < 10; i++) await page.Keyboard.PressAsync("ArrowRight");
        await page.WaitForFunctionAsync("document.querySelector('[aria-label=\"Tasks by member and partition\"]').scrollLeft > 0");
        Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0);
        await Expect(page.Locator(".tasks .task .unseen").First).ToHaveTextAsync("active, running");
    }

    internal static SystemAnswer TwoPipelines(bool restoring, int partitions = 8)
    {
        var members = Enumerable.Range(1, 2).Select(number => new MemberAnswer(
            $"pipeline-{number}", "till-host-" + number, 4000 + number, restoring && number == 2 ? "rebalancing" : "running", null, "2026-03-01T11:00:00.000Z", "2026-03-01T12:00:00.000Z",
            [.. Enumerable.Range(0, partitions).SelectMany(partition => Tasks(number, partition, restoring))], 0.012)).ToList();
        return new("kafka", "2026-03-01T12:00:00.000Z", members, new(null, null, null, 42, 0.18), [new("clickhouse", 0), new("webhooks", 1_200)], 0.34);
    }

    private static IEnumerable<TaskAnswer> Tasks(int member, int partition, bool restoring)
    {
        const string Seen = "2026-03-01T11:59:59.900Z";
        var own = partition % 2 == member - 1;
        if (own) yield return new(0, Requests, partition, "active", "running", restoring && member == 1 ? 500 : 0, Seen, 0, null);
        var moves = restoring && member == 2 && partition is 1 or 3 && own;
        if (own && moves && restoring) yield return new(1, "entities", partition, "active", "restoring", 1_250, null, partition == 1 ? 120_000 : 60_000, partition == 1 ? 30 : 15);
        else if (own) yield return new(1, "entities", partition, "active", "running", 0, Seen, 0, null);
        else yield return new(1, "entities", partition, "standby", "running", 3, null, 0, null);
    }

    private async Task<IPage> OpenAsync(int width = 1280)
    {
        var page = await browser.OpenAsync(width, _host);
        await page.GotoAsync("/system");
        await page.GetByLabel("Admin key").FillAsync(AdminHost.Key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToBeVisibleAsync();
        return page;
    }
}
