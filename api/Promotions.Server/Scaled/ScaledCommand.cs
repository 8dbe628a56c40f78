using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Promotions.Admin.Hosting;
using Promotions.Admin.SignIn;
using Promotions.Analytics.Results;
using Promotions.Api;
using Promotions.Api.Accounts;
using Promotions.Api.Bulk;
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
using Promotions.Server.Metrics;

namespace Promotions.Server.Scaled;

/// <summary><c>promotions serve --bootstrap ... --postgres ...</c>: one process of the scaled set, with the roles that it was given.</summary>
internal static class ScaledCommand
{
    public static async Task<int> RunAsync(ServerOptions options, ScaledOptions scaled, TimeProvider time)
    {
        var folder = DataFolder.Open(options.DataPath);
        using var claim = folder.Claim();
        WebHosting.RefuseTakenPort(options.Listen, options.Port);
        using var loggers = WebHosting.CreateLoggers();
        var start = new StartReadiness();
        var live = new LiveStatistics(time);

        var metrics = new ApiMetrics();
        var ledgerMetrics = new LedgerMetrics(metrics.Registry);
        await using var system = await ScaledSystem.OpenAsync(scaled, ledgerMetrics, time, loggers.CreateLogger<ScaledSystem>(), CancellationToken.None);
        var places = IpPlaces.FromEnvironment();
        // The pipeline makes the topics; the gateway needs them.
        await using var pipeline = scaled.Roles.HasFlag(ServerRoles.Pipeline) ? await StartPipelineAsync(scaled, system, folder, metrics, places, time, loggers) : null;
        var faces = (scaled.Roles & (ServerRoles.Api | ServerRoles.Admin)) != 0;
        if (faces) await system.OpenGatewayAsync(scaled, time, CancellationToken.None);
        await using var analytics = OpenAnalytics(options, scaled, folder, system, time, loggers);
        var builder = WebHosting.CreateBuilder(options);
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton(scaled);
        if (places is not null) builder.Services.AddSingleton(places);
        builder.Services.AddSingleton(system.Policies).AddSingleton(system.Accounts).AddSingleton(system.Registry).AddSingleton(system.Models);
        builder.Services.AddSingleton<ILedger>(system.Ledger);
        builder.Services.AddSingleton<ISettingsStore>(system.Ledger);
        builder.Services.AddSingleton<ILeases>(system.Ledger);
        builder.Services.AddSingleton<IReadinessCheck>(start);
        builder.Services.AddHostedService<PolicyFollower>();
        if (pipeline is not null) builder.Services.AddSingleton<IReadinessCheck>(pipeline);
        if (faces) AddFaces(builder.Services, options, scaled, system, live);
        builder.Services.AddSingleton(metrics);
        builder.Services.AddSingleton(system.Ledger);
        builder.Services.AddSingleton<LedgerWatch>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<LedgerWatch>());
        builder.Services.AddSingleton(new WebhookOptions { AllowPrivate = options.WebhooksPrivate });
        AddAnalytics(builder.Services, scaled, analytics);
        await using var app = builder.Build();
        ledgerMetrics.Ask(() => app.Services.GetRequiredService<LedgerWatch>().State);
        if (faces)
        {
            app.UseAuthentication();
            app.UseAuthorization();
            app.MapPromotionsApi();
            if (scaled.Roles.HasFlag(ServerRoles.Admin)) app.MapPromotionsAdmin();
            await PrepareAsync(system, app.Services, folder);
        }
        else
        {
            app.MapPromotionsHealth();
        }

        await app.StartAsync();
        await using var demo = options.Demo && system.Gateway is { } gateway
            ? await DemoShop.OpenLiveAsync(system.Ledger, system.Ledger, gateway, options, time, loggers.CreateLogger<DemoShop>(), app.Lifetime.ApplicationStopping)
            : null;
        start.Started();
        folder.MarkReady();
        Announce(options, scaled, folder, analytics, places);
        demo?.GoLive();
        if (pipeline is null)
        {
            await app.WaitForShutdownAsync();
            return 0;
        }

        // A driver that stopped by itself ends the process: whoever supervises it starts it again, and it goes on from its last commit.
        if (await Task.WhenAny(app.WaitForShutdownAsync(), pipeline.Completion) != pipeline.Completion || pipeline.Completion.IsCompletedSuccessfully) return 0;
        ServerLog.PipelineFault(loggers.CreateLogger<ScaledSystem>(), pipeline.Completion.Exception!.InnerException!, "The pipeline");
        return 1;
    }

    private static async Task<PipelineRole> StartPipelineAsync(ScaledOptions scaled, ScaledSystem system, DataFolder folder, ApiMetrics metrics, IpDirectory? places, TimeProvider time, ILoggerFactory loggers)
    {
        PipelineRole? role = null;
        var telemetry = new PipelineTelemetry(metrics, new StreamsMetrics(metrics.Registry, () => role?.Status), time, loggers.CreateLogger<PipelineTelemetry>());
        return role = await PipelineRole.StartAsync(scaled, system, folder, telemetry, places, time);
    }

    /// <summary>What the first process of an installation makes: others that start at the same moment wait, and find it.</summary>
    private static async Task PrepareAsync(ScaledSystem system, IServiceProvider services, DataFolder folder)
    {
        await using var alone = await system.Ledger.LeaseAsync("first-start", Environment.MachineName, CancellationToken.None);
        await services.GetRequiredService<ApiKeys>().EnsureFirstKeys(folder.Root);
        await services.GetRequiredService<InstallationSecret>().EnsureAsync(CancellationToken.None);
    }

    private static void AddFaces(IServiceCollection services, ServerOptions options, ScaledOptions scaled, ScaledSystem system, LiveStatistics live)
    {
        services.AddSingleton<IOrderReader>(system.Ledger);
        services.AddSingleton(system.Ledger.Reader);
        services.AddSingleton<IRedemptionGateway>(system.Gateway!);
        services.AddSingleton<IFeatureCatalog, FeatureCatalog>();
        services.AddSingleton(provider => new DecisionExplainer(provider.GetRequiredService<IFeatureCatalog>(), system.Models.Find));
        services.AddSingleton(live);
        services.AddSingleton<ILiveStatistics>(live);
        services.AddSingleton<IAdminSignIn, AdminSignIn>();
        services.AddHostedService<DecisionsFollower>();
        services.AddSingleton<ISystemStatus>(provider => new KafkaSystemStatus(
            scaled.Bootstrap, $"{scaled.Prefix}{scaled.Group}-members", scaled.Client, () => provider.GetRequiredService<LedgerWatch>().State, () => provider.GetRequiredService<LedgerWatch>().Followers,
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<KafkaSystemStatus>>()));
        services.AddSingleton<IRetrainer>(new NoRetrainer("A set over Kafka and PostgreSQL keeps no log to replay from its beginning: learn with promotions-ml from a data set, and register what comes of it."));
        services.AddPromotionsApi();
        services.AddPromotionsAdmin(admin =>
        {
            admin.ModelSentence = () => LoadedModel.SentenceOf(system.Models.Current);
            admin.AllowRemote = options.AdminRemote;
        });
        services.AddDataProtection().SetApplicationName("promotions");       // any dashboard process opens what another sealed
        services.AddOptions<KeyManagementOptions>().Configure(keys => keys.XmlRepository = new SettingsKeyRing(system.Ledger));
    }

    /// <summary>The sinks follow the outbox; the dashboard asks for results. Only the sinks run an engine of their own.</summary>
    private static AnalyticsSystem? OpenAnalytics(ServerOptions options, ScaledOptions scaled, DataFolder folder, ScaledSystem system, TimeProvider time, ILoggerFactory loggers)
    {
        if (!options.Analytics) return null;
        if (scaled.ClickHouse is { } address) return AnalyticsSystem.Connect(address, system.Ledger.Reader, time, loggers);
        return scaled.Roles.HasFlag(ServerRoles.Sinks) && options.EnginePath is not null ? AnalyticsSystem.Start(folder, options, system.Ledger.Reader, time, loggers) : null;
    }

    private static void AddAnalytics(IServiceCollection services, ScaledOptions scaled, AnalyticsSystem? analytics)
    {
        if (analytics is null) services.AddSingleton<ICampaignResults>(new NoResults());
        else services.AddSingleton(analytics).AddSingleton(analytics.Results).AddSingleton(analytics.WouldBeBlocks);
        if (!scaled.Roles.HasFlag(ServerRoles.Sinks)) return;
        services.AddSingleton<ExpiryJob>();
        services.AddSingleton(provider => new FlagFreezer(
            provider.GetRequiredService<ILedger>().Reader, provider.GetRequiredService<AccountBook>(), new FlagRulesStore(provider.GetRequiredService<ISettingsStore>()), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<FlagFreezeJob>();
        services.AddWebhooks();
        services.AddSingleton<WebhookJob>();
        if (analytics is not null) services.AddSingleton<IFollowerLag, SinkLag>().AddSingleton<AnalyticsFollower>();
        services.AddHostedService(provider => new SinksRole(
            provider.GetRequiredService<ILeases>(), provider.GetRequiredService<ExpiryJob>(), provider.GetRequiredService<FlagFreezeJob>(), provider.GetRequiredService<WebhookJob>(), provider.GetService<AnalyticsFollower>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<SinksRole>>()));
    }

    private static void Announce(ServerOptions options, ScaledOptions scaled, DataFolder folder, AnalyticsSystem? analytics, IpDirectory? places)
    {
        var address = $"http://{(options.Listen.Equals(System.Net.IPAddress.Any) ? "127.0.0.1" : options.Listen)}:{options.Port}";
        Console.WriteLine($"""
            Promotions is ready: {scaled.Roles.ToString().ToLowerInvariant()}.
              health      {address}/readyz, {address}/metrics
              Kafka       {scaled.Bootstrap}  group {scaled.Group}
            """);
        if (scaled.Roles.HasFlag(ServerRoles.Api) || scaled.Roles.HasFlag(ServerRoles.Pipeline)) Console.WriteLine($"  geography   {IpPlaces.Describe(places)}");
        if (analytics is not null) Console.WriteLine($"  ClickHouse  {analytics.Where}");
        if (scaled.Roles.HasFlag(ServerRoles.Api)) Console.WriteLine($"  API         {address}/v1          keys are in {folder.Keys}");
        if (scaled.Roles.HasFlag(ServerRoles.Admin)) Console.WriteLine($"  dashboard   {address}/            sign in with the key in {Path.Combine(folder.Keys, "admin.key")}");
    }
}
