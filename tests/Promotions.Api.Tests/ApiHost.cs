using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Promotions.Analytics.Results;
using Promotions.Api.Accounts;
using Promotions.Api.Http;
using Promotions.Api.Keys;
using Promotions.Api.Models;
using Promotions.Api.Observing;
using Promotions.Api.Policies;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Ledger.Sqlite;
using Promotions.Processing;
using Promotions.Processing.Costs;
using Promotions.Processing.Decisions;
using Promotions.Processing.Embedded;
using Promotions.Processing.State;
using Promotions.Streams.State;

namespace Promotions.Api.Tests;

/// <summary>The real API on Kestrel over a real ledger and pipeline; only features and model are small ones of the tests.</summary>
public sealed class ApiHost : IAsyncDisposable
{
    private readonly string _folder;
    private readonly SqliteLedger _ledger;
    private readonly EmbeddedRedemptions _redemptions;
    private readonly WebApplication _app;

    private ApiHost(string folder, SqliteLedger ledger, EmbeddedRedemptions redemptions, WebApplication app, HttpClient http)
    {
        (_folder, _ledger, _redemptions, _app, Http) = (folder, ledger, redemptions, app, http);
    }

    public HttpClient Http { get; }
    public string Folder => _folder;
    public SqliteLedger Ledger => _ledger;
    public IRedemptionGateway Gateway => _redemptions.Gateway;
    public ApiKeys Keys => _app.Services.GetRequiredService<ApiKeys>();
    public Contracts.IAccountDesk AccountDesk => _app.Services.GetRequiredService<Contracts.IAccountDesk>();
    public Contracts.IPolicyDesk PolicyDesk => _app.Services.GetRequiredService<Contracts.IPolicyDesk>();
    public IReadOnlyList<RouteEndpoint> Endpoints => [.. _app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];
    public ISettingsStore Settings => _ledger;
    public string AdminKey { get; private init; } = "";
    public string CheckoutKey { get; private init; } = "";
    public BadGateway? Broken { get; private init; }
    public RecordedBlocks WouldBeBlocks { get; private init; } = null!;

    public static async Task<ApiHost> StartAsync(ApiOptions? options = null, bool broken = false, ICampaignResults? results = null, float score = 0.01f, bool modelLoaded = true, Func<ILedger, ILedger>? ledgerSeen = null, string? vfs = null)
    {
        var folder = Directory.CreateTempSubdirectory("promotions-api-").FullName;
        var ledger = SqliteLedger.Open(new SqliteLedgerOptions { Path = Path.Combine(folder, "ledger.db"), Vfs = vfs }, TimeProvider.System);
        var seen = ledgerSeen?.Invoke(ledger) ?? ledger;
        var metrics = new ApiMetrics();
        var catalog = new FeatureCatalog();
        var scorer = new FixedScorer(score);
        var policies = new FraudPolicies(ledger, PolicyOfTests.Lenient, TimeProvider.System);
        var registry = new ModelRegistry(ledger, FeatureRegistry.LayoutHash, [.. FeatureRegistry.Features.Select(feature => feature.Name)], TimeProvider.System);
        var models = new ServedModels(registry, scorer, null);
        var accounts = new AccountBook(ledger, TimeProvider.System);
        var redemptions = EmbeddedRedemptions.Start(
            seen, new InMemoryBackend(), () => models.Inputs(policies.Current.Policy, seen.Campaigns, accounts.Standings), EarningRule.Default, metrics, new(16 << 20, TimeSpan.FromSeconds(5)), TimeProvider.System);
        IRedemptionGateway gateway = redemptions.Gateway;
        var bad = broken ? new BadGateway(gateway) : null;

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(seen).AddSingleton<ISettingsStore>(ledger).AddSingleton<IOrderReader>(ledger).AddSingleton(bad ?? gateway).AddSingleton(metrics)
            .AddSingleton(policies).AddSingleton(accounts).AddSingleton(registry).AddSingleton(models).AddSingleton<IFeatureCatalog>(catalog).AddSingleton(new DecisionExplainer(catalog, hash => modelLoaded ? models.Find(hash) : null));
        builder.Services.AddSingleton<Contracts.ISystemStatus>(new EmbeddedSystemStatus(redemptions.Driver, ledger.Reader, [], TimeProvider.System));
        if (results is not null) builder.Services.AddSingleton(results);
        var blocks = new RecordedBlocks();
        builder.Services.AddSingleton<IWouldBeBlocks>(blocks);
        builder.Services.AddPromotionsApi(options);
        var app = builder.Build();
        app.MapPromotionsApi();
        var files = await app.Services.GetRequiredService<ApiKeys>().EnsureFirstKeys(folder);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new(folder, ledger, redemptions, app, new HttpClient { BaseAddress = new Uri(address) })
        {
            AdminKey = (await File.ReadAllTextAsync(files.AdminFile)).Trim(),
            CheckoutKey = (await File.ReadAllTextAsync(files.CheckoutFile)).Trim(),
            Broken = bad,
            WouldBeBlocks = blocks,
        };
    }

    public async Task<Answer> SendAsync(string method, string path, string? body = null, string? key = "checkout", Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        var text = key switch { "admin" => AdminKey, "checkout" => CheckoutKey, _ => key };
        if (text is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", text);
        change?.Invoke(request);
        using var response = await Http.SendAsync(request);
        return new(response.StatusCode, await response.Content.ReadAsStringAsync(), response.Content.Headers.ContentType?.MediaType, response.Headers);
    }

    public async Task<Answer> ExpectAsync(int status, string method, string path, string? body = null, string? key = "admin", Action<HttpRequestMessage>? change = null)
    {
        var answer = await SendAsync(method, path, body, key, change);
        Assert.True((int)answer.Status == status, $"{method} {path} answered {(int)answer.Status}: {answer.Text}");
        return answer;
    }

    public async Task<string> NewKeyAsync(string scopes, string channels = "", string? owner = null) =>
        (await ExpectAsync(201, "POST", "/v1/api-keys", $$"""{"name":"test","scopes":[{{scopes}}],"channels":[{{channels}}]{{(owner is null ? "" : $",\"owner\":\"{owner}\"")}}}""")).Json["key"]!.GetValue<string>();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
        await _redemptions.DisposeAsync();
        await _ledger.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>Would-be blocks as an analytics store would have them.</summary>
public sealed class RecordedBlocks : IWouldBeBlocks
{
    public Dictionary<string, IReadOnlyList<WouldBeBlock>> ByCurrency { get; } = new(StringComparer.Ordinal);
    public EventTime AskedFrom { get; private set; }

    public Task<IReadOnlyDictionary<string, IReadOnlyList<WouldBeBlock>>> ReadAsync(EventTime from, CancellationToken cancellationToken)
    {
        AskedFrom = from;
        return Task.FromResult<IReadOnlyDictionary<string, IReadOnlyList<WouldBeBlock>>>(ByCurrency);
    }
}

public sealed record Answer(HttpStatusCode Status, string Text, string? MediaType, HttpResponseHeaders Headers)
{
    public JsonNode Json => JsonNode.Parse(Text)!;
    public string? Code => Json["code"]?.GetValue<string>();
    public string? Header(string name) => Headers.TryGetValues(name, out var values) ? values.Single() : null;
}
