using Microsoft.Playwright;

namespace Promotions.Admin.Tests;

/// <summary>One Chromium for all tests of the assembly, the system's own: nothing is downloaded.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    /// <summary>On a machine with other work a page takes seconds to come; what it must show decides, and not when.</summary>
    private const int PatienceMs = 30_000;

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        var path = Environment.GetEnvironmentVariable("PROMOTIONS_CHROMIUM") ?? Array.Find(Places, File.Exists);
        if (path is null) return;   // each test says so
        Assertions.SetDefaultExpectTimeout(PatienceMs);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = path,
            Headless = true,
            Args = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    /// <summary>A page in a session of its own. It fails the test when the browser asks any other host for anything.</summary>
    internal async Task<IPage> OpenAsync(int width, AdminHost host, ColorScheme colors = ColorScheme.Light)
    {
        if (_browser is null)
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") is "true", "No Chromium here: set PROMOTIONS_CHROMIUM to its path.");
            Assert.Fail("CI needs Chromium.");
        }

        var context = await _browser.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = colors, BaseURL = host.Address.ToString() });
        context.SetDefaultTimeout(PatienceMs);
        host.Opened.Add(context);
        var page = await context.NewPageAsync();
        await page.RouteAsync("**", route => route.Request.Url.StartsWith(host.Address.ToString(), StringComparison.Ordinal)
            || route.Request.Url.StartsWith("data:", StringComparison.Ordinal) || route.Request.Url.StartsWith("blob:", StringComparison.Ordinal)
            ? route.ContinueAsync()
            : throw new InvalidOperationException($"The dashboard asked another host: {route.Request.Url}"));
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
