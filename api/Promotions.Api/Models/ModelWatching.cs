using Microsoft.Extensions.DependencyInjection;
using Promotions.Api.Policies;
using Promotions.Api.Retraining;
using Promotions.Contracts;
using Promotions.Processing.Decisions;
using Promotions.Scoring.Drift;

namespace Promotions.Api.Models;

/// <summary>Registers what watches models at work, and learns new ones.</summary>
internal static class ModelWatching
{
    public static IServiceCollection AddModelWatching(this IServiceCollection services) => services
        .AddSingleton(provider =>
        {
            var (catalog, policies) = (provider.GetRequiredService<IFeatureCatalog>(), provider.GetRequiredService<FraudPolicies>());
            return new LiveModels(provider.GetRequiredService<ServedModels>(), [.. Enumerable.Range(0, catalog.Count).Select(catalog.NameOf)], () => policies.Current.Policy.Costs, DriftLevels.Default);
        })
        .AddSingleton<ModelMetrics>()
        .AddSingleton<ModelDesk>()
        .AddSingleton<IModelDesk>(provider => provider.GetRequiredService<ModelDesk>())
        .AddHostedService<ModelFollower>()
        .AddSingleton<RetrainingStore>()
        .AddSingleton<Retrainings>()
        .AddHostedService(provider => provider.GetRequiredService<Retrainings>())
        .AddSingleton<RetrainingDesk>()
        .AddSingleton<IRetrainingDesk>(provider => provider.GetRequiredService<RetrainingDesk>());
}
