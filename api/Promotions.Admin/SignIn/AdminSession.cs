using System.Security.Claims;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;

namespace Promotions.Admin.SignIn;

/// <summary>Who sits at this circuit. A circuit outlives its cookie, so the key is asked for again: before every read, before every action, and now and then in between.</summary>
public sealed class AdminSession(AuthenticationStateProvider authentication, IAdminSignIn signIn, NavigationManager navigation)
{
    /// <returns>The id of the key, or null when it no longer opens the dashboard: then the browser is sent to sign in, and the caller does nothing more.</returns>
    public async Task<string?> RequireAsync(CancellationToken cancellationToken)
    {
        var user = (await authentication.GetAuthenticationStateAsync()).User;
        if (user.FindFirstValue(ClaimTypes.NameIdentifier) is { } keyId && await signIn.IsAdminAsync(keyId, cancellationToken)) return keyId;
        navigation.NavigateTo(SignInEndpoints.Path + "?ended=true", forceLoad: true);
        return null;
    }
}
