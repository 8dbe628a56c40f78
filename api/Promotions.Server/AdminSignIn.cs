using Promotions.Admin.SignIn;
using Promotions.Api.Keys;

namespace Promotions.Server;

/// <summary>The dashboard's door: the API's keys, admin scope only.</summary>
internal sealed class AdminSignIn(ApiKeys keys) : IAdminSignIn
{
    public async Task<AdminIdentity?> FindAsync(string key, CancellationToken cancellationToken)
    {
        await keys.FreshAsync();
        return keys.Find(key.AsSpan().Trim()) is { IsAdmin: true } found ? new AdminIdentity(found.Id, found.Record.Name) : null;
    }

    public async ValueTask<bool> IsAdminAsync(string keyId, CancellationToken cancellationToken) => await keys.FindLiveAsync(keyId) is { IsAdmin: true };
}
