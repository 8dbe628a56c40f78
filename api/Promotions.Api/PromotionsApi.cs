using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Promotions.Analytics.Results;
using Promotions.Api.Accounts;
using Promotions.Api.Bulk;
using Promotions.Api.Endpoints;
using Promotions.Api.Http;
using Promotions.Api.Keys;
using Promotions.Api.Limits;
using Promotions.Api.Models;
using Promotions.Api.Observing;
using Promotions.Api.Policies;
using Promotions.Api.Problems;
using Promotions.Api.Retraining;
using Promotions.Api.Webhooks;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Ledger;
using Promotions.Processing;
using Promotions.Processing.Changes;
using Promotions.Processing.Costs;
using Promotions.Processing.Decisions;
using Promotions.Processing.Reviews;

namespace Promotions.Api;

/// <summary>How the API joins a host.</summary>
public static class PromotionsApi
{
    /// <summary>Registers the API. The host registers <see cref="ILedger"/>, <see cref="IOrderReader"/>, <see cref="ISettingsStore"/>, <see cref="IRedemptionGateway"/>, <see cref="DecisionExplainer"/>, <see cref="FraudPolicies"/>, <see cref="AccountBook"/>, <see cref="ModelRegistry"/>, <see cref="ServedModels"/>, <see cref="IFeatureCatalog"/> and, where there is one,
    /// <see cref="IpDirectory"/>, <see cref="ICampaignResults"/>, <see cref="IWouldBeBlocks"/> and <see cref="ISystemStatus"/>; and as many <see cref="IReadinessCheck"/> and <see cref="IFollowerLag"/> as it has.</summary>
    public static IServiceCollection AddPromotionsApi(this IServiceCollection services, ApiOptions? options = null)
    {
        options ??= new ApiOptions();
        Validator.ValidateObject(options, new ValidationContext(options), validateAllProperties: true);

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => RandomNumberGenerator.Create());
        services.AddSingleton(options);
        services.TryAddSingleton<ApiMetrics>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<IdMaker>();
        services.AddSingleton<InstallationSecret>();
        services.AddWebhooks();
        services.AddSingleton<IPolicyDesk, PolicyDesk>();
        services.AddSingleton<FlagRulesStore>();
        services.AddSingleton<IAccountDesk, AccountDesk>();
        services.AddSingleton(provider => new SmallestChangeFinder(
            provider.GetRequiredService<IFeatureCatalog>(), provider.GetRequiredService<ServedModels>().Find,
            version => provider.GetRequiredService<FraudPolicies>().Find(version)?.Policy, provider.GetRequiredService<ILedger>().Reader.FindCampaign));
        services.AddSingleton(provider => new OpenCases(provider.GetRequiredService<ILedger>().Reader));
        services.AddSingleton(provider => new RecentAttempts(provider.GetRequiredService<ILedger>().Reader));
        services.AddSingleton(provider => new EntityGraph(provider.GetRequiredService<ILedger>().Reader, provider.GetRequiredService<RecentAttempts>()));
        services.AddSingleton(provider => new SimilarCases(provider.GetRequiredService<ILedger>().Reader, provider.GetRequiredService<DecisionExplainer>()));
        services.AddSingleton(provider => new ReviewDesk(provider.GetRequiredService<ILedger>().Reader, provider.GetRequiredService<IRedemptionGateway>(), provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<IRetrainer>(new NoRetrainer("This system has no program that learns: promotions-ml is where the log is."));
        services.AddModelWatching();
        services.AddSingleton<BulkOperations>();
        services.AddHostedService(provider => provider.GetRequiredService<BulkOperations>());
        services.AddSingleton(new AnonymousBuckets(
            options.AnonymousRequestsPerSecond, (int)Math.Min(int.MaxValue, (long)options.AnonymousRequestsPerSecond * options.BurstSeconds)));
        services.AddSingleton(provider => new ApiServices(
            options,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<IRedemptionGateway>(),
            provider.GetRequiredService<DecisionExplainer>(),
            provider.GetRequiredService<SmallestChangeFinder>(),
            provider.GetRequiredService<OpenCases>(),
            provider.GetRequiredService<ReviewDesk>(),
            provider.GetRequiredService<SimilarCases>(),
            provider.GetRequiredService<EntityGraph>(),
            provider.GetRequiredService<FraudPolicies>(),
            provider.GetRequiredService<AccountBook>(),
            provider.GetRequiredService<FlagRulesStore>(),
            provider.GetRequiredService<ModelRegistry>(),
            provider.GetRequiredService<ServedModels>(),
            provider.GetRequiredService<ModelDesk>(),
            provider.GetRequiredService<Retrainings>(),
            provider.GetRequiredService<RetrainingDesk>(),
            provider.GetRequiredService<IFeatureCatalog>(),
            provider.GetRequiredService<ILedger>(),
            provider.GetRequiredService<IOrderReader>(),
            provider.GetRequiredService<ApiKeys>(),
            provider.GetRequiredService<AnonymousBuckets>(),
            provider.GetRequiredService<BulkOperations>(),
            provider.GetRequiredService<InstallationSecret>(),
            provider.GetRequiredService<IdMaker>(),
            provider.GetService<ICampaignResults>(),
            provider.GetService<IWouldBeBlocks>(),
            provider.GetRequiredService<WebhookBook>(),
            provider.GetRequiredService<WebhookSender>(),
            provider.GetService<ISystemStatus>(),
            provider.GetRequiredService<ApiMetrics>(),
            [.. provider.GetServices<IReadinessCheck>()],
            provider.GetService<IpDirectory>(),
            provider.GetRequiredService<ILogger<ApiServices>>()));
        services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = Bounds.GrantBodyMax;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        });
        return services;
    }

    /// <summary>Maps every operation of <see cref="ApiTable"/>, and refuses everything else below <c>/v1</c>.</summary>
    public static IEndpointRouteBuilder MapPromotionsApi(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider.GetRequiredService<ApiServices>();
        foreach (var follower in routes.ServiceProvider.GetServices<IFollowerLag>()) services.Metrics.Add(follower);
        services.Metrics.ShowPolicyVersion(() => services.Policies.Current.Policy.Version);
        var inFlight = new InFlight(services.Options.InFlightMax);
        foreach (var operation in ApiTable.All)
            routes.MapMethods(operation.Path, [operation.Method], new ApiPipeline(operation, services, inFlight).InvokeAsync).WithMetadata(operation).WithName(operation.Id);

        foreach (var prefix in (ReadOnlySpan<string>)["/v1", "/openapi", "/schemas"])
        {
            var nothing = new ApiOperation($"nothing{prefix.Replace('/', '_')}", "*", prefix + "/{**rest}", new Access(KeyScopes.Checkout | KeyScopes.Analyst, false), "", "Nothing is here", RefuseUnknown)
            {
                Answers = [],
                Examples = [],
            };
            routes.Map(nothing.Path, new ApiPipeline(nothing, services, inFlight).InvokeAsync).WithMetadata(nothing);
        }
        return routes;
    }

    /// <summary>404; or 405 where the address takes other methods. Strangers get neither: without a key it is 401, so that nobody lists what exists.</summary>
    private static Task RefuseUnknown(ApiCall call)
    {
        var path = call.Context.Request.Path;
        var methods = ApiTable.All
            .Where(operation => new TemplateMatcher(TemplateParser.Parse(operation.Path.TrimStart('/')), []).TryMatch(path, []))
            .Select(operation => operation.Method).Distinct().ToArray();
        if (methods.Length > 0) call.Context.Response.Headers.Allow = string.Join(", ", methods);
        call.Refuse(methods.Length > 0 ? ProblemKind.MethodNotAllowed : ProblemKind.NotFound);
        return Task.CompletedTask;
    }
}
