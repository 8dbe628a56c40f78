using System.Diagnostics;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger.Sqlite;
using Promotions.Server.Geography;

namespace Promotions.Server.Tests;

/// <summary>The database as <c>up</c> fetches it, and a system with and without it.</summary>
public class GeographyTests
{
    [Fact]
    public async Task The_open_database_places_well_known_addresses()
    {
        var places = IpPlaces.Load(await DatabaseAsync(), null, null)!;
        Assert.InRange(places.CountryRanges, 100_000, 2_000_000);
        foreach (var (ip, country) in new[] { ("8.8.8.8", "US"), ("193.99.144.80", "DE"), ("2a02:2e0:3fe:1001:302::", "DE"), ("133.11.0.1", "JP"), ("10.0.0.1", ""), ("::1", "") })
            Assert.Equal((ip, country), (ip, places.Find(ip).Country.ToString()));
        Assert.Contains("no list of Tor exits", IpPlaces.Describe(places), StringComparison.Ordinal);
        Assert.Contains("missing", IpPlaces.Describe(null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_is_none_is_refused_by_the_setting_that_names_it()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "not a database", TestContext.Current.CancellationToken);
            Assert.Contains("PROMOTIONS_IP_COUNTRIES", Assert.Throws<StartRefusedException>(() => IpPlaces.Load(file, null, null)).Message, StringComparison.Ordinal);
            Assert.Contains("PROMOTIONS_IP_TOR", Assert.Throws<StartRefusedException>(() => IpPlaces.Load(null, null, file)).Message, StringComparison.Ordinal);
            Assert.Contains("PROMOTIONS_IP_HOSTING", Assert.Throws<StartRefusedException>(() => IpPlaces.Load(null, file + ".gone", null)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Impossible_travel_is_in_the_recorded_vector_and_outlives_the_database()
    {
        var environment = new Dictionary<string, string> { ["PROMOTIONS_IP_COUNTRIES"] = await DatabaseAsync() };
        var data = Directory.CreateTempSubdirectory("promotions-geography-").FullName;
        try
        {
            await using (var server = await RunningServer.StartAsync(data, environment: environment))
            {
                Assert.Contains("ranges of countries", server.Output, StringComparison.Ordinal);
                await RedeemAsync(server, "r-1", "193.99.144.80");
                await RedeemAsync(server, "r-2", "8.8.8.8");
                Assert.Equal(0, await server.StopAsync());
            }
            await using (var server = await RunningServer.StartAsync(data))          // replays what is not in its state, without the database
            {
                Assert.Contains("names no database", server.Output, StringComparison.Ordinal);
                await RedeemAsync(server, "r-3", "193.99.144.80");
                Assert.Equal(0, await server.StopAsync());
            }

            await using var ledger = SqliteLedger.Open(new() { Path = Path.Combine(data, "ledger", "ledger.db") }, TimeProvider.System);
            float Value(string id, string feature) => ledger.Reader.FindDecision(id)!.Proposal.Risk.Vector.Span[FeatureRegistry.IndexOf(feature)];
            Assert.True(float.IsNaN(Value("r-1", "customer_travel")));
            Assert.True(Value("r-2", "customer_travel") > 10_000);                   // seconds from Germany to the United States
            Assert.Equal((0f, 1f), (Value("r-1", "request_ip_account_country"), Value("r-2", "request_ip_account_country")));
            Assert.True(float.IsNaN(Value("r-3", "customer_travel")) && float.IsNaN(Value("r-3", "request_ip_account_country")));
            var recorded = ledger.Reader.FindDecision("r-2")!.Proposal.Request.Origin;
            Assert.Equal(("US", "DE", "DE", IpFlags.None), (recorded.Ip.ToString(), recorded.Account.ToString(), recorded.Shipping.ToString(), recorded.Flags));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task RedeemAsync(RunningServer server, string id, string ip)
    {
        var (status, body, _) = await server.SendAsync(HttpMethod.Post, "/v1/redemptions", $$$"""
            {"id": "{{{id}}}", "channel": "web-de", "customer": {"id": "anna", "country": "DE"}, "context": {"ip": "{{{ip}}}", "shipping_country": "DE"},
             "order": {"id": "o-{{{id}}}", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 1, "unit_price": {"amount": 1500, "currency": "EUR"}}]}}
            """);
        Assert.True((int)status is 200 or 201, body?.ToJsonString());
    }

    private static async Task<string> DatabaseAsync()
    {
        using var process = Process.Start(new ProcessStartInfo("bash", [Path.Combine(Repository.Root, "deploy", "lib", "fetch-ip-countries")]) { RedirectStandardOutput = true })!;
        var path = (await process.StandardOutput.ReadToEndAsync()).Trim();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return path;
    }
}
