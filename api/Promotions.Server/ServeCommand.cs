using Microsoft.AspNetCore.DataProtection;
using Promotions.Admin.Hosting;
using Promotions.Admin.SignIn;
using Promotions.Analytics.Results;
using Promotions.Api;
using Promotions.Api.Accounts;
using Promotions.Api.Keys;
using Promotions.Api.Observing;
using Promotions.Api.Retraining;
using Promotions.Api.Webhooks;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Ledger;
using Promotions.Processing;
using Promotions.Processing.Decisions;
using Promotions.Processing.State;
using Promotions.Processing.Statistics;
using Promotions.Server.Geography;
using Promotions.Server.Retraining;

namespace Promotions.Server;

/// <summary><c>promotions serve</c>: everything embedded, in one process and the engine's child.</summary>
internal static class ServeCommand
{
    public static async Task<int> RunAsync(ServerOptions options, TimeProvider wall)
    {
        var time = new SteerableClock(wall);
        var folder = DataFolder.Open(options.DataPath);
        using var claim = folder.Claim();
        WebHosting.RefuseTakenPort(options.Listen, options.Port);
        DemoShop.SetOut(folder, options, time);

        var builder = WebHosting.CreateBuilder(options);
        using var loggers = WebHosting.CreateLoggers();

        var live = new LiveStatistics(time);
        var observer = new PipelineObserver(live, loggers.CreateLogger<PipelineObserver>());
        await using var system = DecisionSystem.Open(folder, observer, time, loggers.CreateLogger<DecisionSystem>(), options.Demo ? DemoShop.HoldFor : null);
        await using var analytics = options is { Analytics: true, EnginePath: not null } ? AnalyticsSystem.Start(folder, options, system.Ledger.Reader, time, loggers) : null;
        var start = new StartReadiness();

        Register(builder.Services, options, system, live, start, time);
        builder.Services.AddSingleton<IRetrainer>(ChildRetrainer.Of(folder, LoadedModel.DefaultPath));
        var places = IpPlaces.FromEnvironment();
        if (places is not null) builder.Services.AddSingleton(places);
        builder.Services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(folder.Keys));       // sign-ins outlive a restart
        if (analytics is null) builder.Services.AddSingleton<ICampaignResults>(new NoResults());
        else Register(builder.Services, analytics);
        await using var app = builder.Build();
        observer.Metrics = app.Services.GetRequiredService<ApiMetrics>();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapPromotionsApi();
        app.MapPromotionsAdmin();

        var (adminFile, checkoutFile) = await app.Services.GetRequiredService<ApiKeys>().EnsureFirstKeys(folder.Root);
        await app.StartAsync();
        await using var demo = options.Demo ? await DemoShop.OpenAsync(system, folder, options, time, loggers.CreateLogger<DemoShop>(), app.Lifetime.ApplicationStopping) : null;
        start.Started();
        folder.MarkReady();
        Announce(options, folder, adminFile, checkoutFile, analytics, places);
        demo?.GoLive();
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static void Register(IServiceCollection services, ServerOptions options, DecisionSystem system, LiveStatistics live, StartReadiness start, TimeProvider time)
    {
        services.AddSingleton(time);
        services.AddSingleton<ILedger>(system.Ledger);
        services.AddSingleton<ISettingsStore>(system.Ledger);
        services.AddSingleton<IOrderReader>(system.Ledger);
        services.AddSingleton(system.Ledger.Reader);
        services.AddSingleton(system.Driver);
        services.AddSingleton<IRedemptionGateway>(system.Gateway);
        services.AddSingleton<IFeatureCatalog, FeatureCatalog>();
        services.AddSingleton(provider => new DecisionExplainer(provider.GetRequiredService<IFeatureCatalog>(), system.Models.Find));
        services.AddSingleton(system.Policies).AddSingleton(system.Accounts).AddSingleton(system.Registry).AddSingleton(system.Models);
        services.AddSingleton<ILiveStatistics>(live);
        services.AddSingleton<ISystemStatus, EmbeddedSystemStatus>();
        services.AddSingleton<IReadinessCheck>(start);
        services.AddSingleton<IReadinessCheck, PipelineReadiness>();
        services.AddSingleton<IAdminSignIn, AdminSignIn>();
        services.AddHostedService<ExpiryJob>();
        services.AddSingleton<FlagFreezer>();
        services.AddHostedService<FlagFreezeJob>();
        services.AddSingleton(new WebhookOptions { AllowPrivate = options.WebhooksPrivate });
        services.AddHostedService<WebhookJob>();
        services.AddPromotionsApi();
        services.AddPromotionsAdmin(admin =>
        {
            admin.ModelSentence = () => LoadedModel.SentenceOf(system.Models.Current);
            admin.AllowRemote = options.AdminRemote;
        });
    }

    private static void Register(IServiceCollection services, AnalyticsSystem analytics)
    {
        services.AddSingleton(analytics);
        services.AddSingleton(analytics.Results).AddSingleton(analytics.WouldBeBlocks);
        services.AddSingleton<IFollowerLag, SinkLag>();
        services.AddHostedService<AnalyticsFollower>();
    }

    private static void Announce(ServerOptions options, DataFolder folder, string adminFile, string checkoutFile, AnalyticsSystem? analytics, IpDirectory? places)
    {
        Console.WriteLine($"""
            Promotions is ready.
              dashboard   http://127.0.0.1:{options.Port}/            sign in with the key in {adminFile}
              API         http://127.0.0.1:{options.Port}/v1          checkout's key is in {checkoutFile}
              OpenAPI     http://127.0.0.1:{options.Port}/openapi/v1.json
              ClickHouse  {analytics?.Where ?? "off (--no-analytics)"}
              geography   {IpPlaces.Describe(places)}
              data        {folder.Root}
            """);
    }
}
