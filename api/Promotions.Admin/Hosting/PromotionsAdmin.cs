using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Promotions.Admin.SignIn;

namespace Promotions.Admin.Hosting;

/// <summary>Puts the dashboard into a web application, at its root.</summary>
public static class PromotionsAdmin
{
    /// <summary>No script, font or picture comes from another host; Plotly writes inline styles.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>The dashboard's own services. The host brings <c>ILedgerReader</c>, <c>IRedemptionGateway</c>, <c>ICampaignResults</c>, <c>ILiveStatistics</c> and
    /// <see cref="IAdminSignIn"/>.</summary>
    public static IServiceCollection AddPromotionsAdmin(this IServiceCollection services, Action<AdminOptions>? configure = null)
    {
        services.AddOptions<AdminOptions>().Configure(configure ?? (_ => { }));
        services.TryAddSingleton(TimeProvider.System);
        services.AddRazorComponents().AddInteractiveServerComponents();
        services.AddScoped<AdminSession>();
        services.AddSingleton<SignInAttempts>();
        services.AddCascadingAuthenticationState();
        services.AddAntiforgery();
        services.AddAuthorization();
        services.AddAuthentication().AddCookie(SignInEndpoints.Scheme, cookie =>
        {
            cookie.Cookie.Name = SignInEndpoints.Scheme;
            cookie.Cookie.HttpOnly = true;
            cookie.Cookie.SameSite = SameSiteMode.Strict;
            cookie.LoginPath = SignInEndpoints.Path;
            cookie.ReturnUrlParameter = "returnUrl";
            cookie.SlidingExpiration = true;
            cookie.Events.OnValidatePrincipal = SignInEndpoints.RefuseRevokedAsync;
        });
        services.AddOptions<Microsoft.AspNetCore.Authentication.Cookies.CookieAuthenticationOptions>(SignInEndpoints.Scheme)
            .Configure<IOptions<AdminOptions>>((cookie, options) => cookie.ExpireTimeSpan = options.Value.SessionLength);
        return services;
    }

    /// <summary>Maps the pages, their scripts and the sign-in. Call once, before the application starts.</summary>
    public static WebApplication MapPromotionsAdmin(this WebApplication app)
    {
        var allowRemote = app.Services.GetRequiredService<IOptions<AdminOptions>>().Value.AllowRemote;
        app.Use((context, next) =>
        {
            if (context.GetEndpoint()?.Metadata.GetMetadata<AdminSurface>() is null) return next(context);
            if (!allowRemote && context.Connection.RemoteIpAddress is { } from && !IPAddress.IsLoopback(from))
            {
                context.Response.StatusCode = StatusCodes.Status403Forbidden;
                return context.Response.WriteAsync("The dashboard answers this machine only. To open it to others, set AdminOptions.AllowRemote, behind TLS.");
            }

            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = ContentSecurityPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "same-origin";
            return next(context);
        });
        app.UseAntiforgery();

        var open = app.MapGroup("").WithMetadata(new AdminSurface());
        AdminFiles.Map(open);
        SignInEndpoints.Map(open);
        app.MapRazorComponents<App>()
            .AddInteractiveServerRenderMode()
            .RequireAuthorization(new AuthorizationPolicyBuilder(SignInEndpoints.Scheme).RequireAuthenticatedUser().Build())
            .WithMetadata(new AdminSurface());
        return app;
    }

    /// <summary>Marks the dashboard's endpoints; the API's are left alone.</summary>
    private sealed class AdminSurface;
}
