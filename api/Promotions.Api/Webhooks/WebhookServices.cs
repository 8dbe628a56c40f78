using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Promotions.Api.Accounts;
using Promotions.Ledger;

namespace Promotions.Api.Webhooks;

/// <summary>For a process with the API, and for one that only follows the ledger.</summary>
public static class WebhookServices
{
    /// <summary>The host registers <see cref="ILedger"/>, <see cref="ISettingsStore"/> and, where they are others than the defaults, <see cref="WebhookOptions"/>.</summary>
    public static IServiceCollection AddWebhooks(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => RandomNumberGenerator.Create());
        services.TryAddSingleton(new WebhookOptions());
        services.TryAddSingleton<WebhookSender>();
        services.TryAddSingleton(provider => new WebhookBook(
            provider.GetRequiredService<ISettingsStore>(), provider.GetRequiredService<ILedger>().Reader, provider.GetRequiredService<RandomNumberGenerator>(), provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(provider => new WebhookFollower(
            provider.GetRequiredService<WebhookBook>(), provider.GetRequiredService<WebhookSender>(), provider.GetRequiredService<ILedger>().Reader, new FlagRulesStore(provider.GetRequiredService<ISettingsStore>()),
            provider.GetRequiredService<WebhookOptions>(), provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
