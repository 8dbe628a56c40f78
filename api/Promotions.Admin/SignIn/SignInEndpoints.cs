using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Promotions.Admin.SignIn;

/// <summary>Signing in and out: plain forms, so that no circuit exists before somebody is known.</summary>
internal static class SignInEndpoints
{
    public const string Scheme = "promotions-admin";
    public const string Path = "/sign-in";

    private const int KeyLengthMax = 512;
    private const string SessionEnded = "Your session has ended: its key is no longer valid. Sign in with another one.";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(Path, (string? returnUrl, bool? ended) => Page(returnUrl, ended is true ? SessionEnded : null)).AllowAnonymous();
        endpoints.MapPost(Path, SignInAsync).AllowAnonymous();
        endpoints.MapPost("/sign-out", SignOutAsync).AllowAnonymous();
    }

    private static async Task<IResult> SignInAsync(HttpContext context, [FromForm] string? key, [FromForm] string? returnUrl, IAdminSignIn signIn, SignInAttempts attempts, CancellationToken cancellationToken)
    {
        var from = context.Connection.RemoteIpAddress;
        if (!attempts.TryBegin(from, out var wait))
        {
            var seconds = (int)Math.Ceiling(wait.TotalSeconds);
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            return Page(returnUrl, string.Create(CultureInfo.InvariantCulture, $"Too many wrong keys were tried. Try again in {seconds} seconds."));
        }

        var identity = string.IsNullOrWhiteSpace(key) || key.Length > KeyLengthMax ? null : await signIn.FindAsync(key.Trim(), cancellationToken);
        if (identity is null)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Page(returnUrl, "This key is not known here, or it is no admin key.");
        }

        attempts.Succeeded(from);
        var claims = new ClaimsIdentity([new(ClaimTypes.NameIdentifier, identity.Id), new(ClaimTypes.Name, identity.Name)], Scheme);
        await context.SignInAsync(Scheme, new(claims));
        return Results.LocalRedirect(LocalOnly(returnUrl));
    }

    private static async Task<IResult> SignOutAsync(HttpContext context, IAntiforgery antiforgery)
    {
        await antiforgery.ValidateRequestAsync(context);
        await context.SignOutAsync(Scheme);
        return Results.LocalRedirect(Path);
    }

    /// <summary>A cookie is worth what its key is worth now.</summary>
    public static async Task RefuseRevokedAsync(CookieValidatePrincipalContext context)
    {
        var signIn = context.HttpContext.RequestServices.GetRequiredService<IAdminSignIn>();
        if (context.Principal?.FindFirstValue(ClaimTypes.NameIdentifier) is { } keyId && await signIn.IsAdminAsync(keyId, context.HttpContext.RequestAborted)) return;
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(Scheme);
    }

    private static RazorComponentResult<SignInPage> Page(string? returnUrl, string? problem) => new(new { ReturnUrl = LocalOnly(returnUrl), Problem = problem });

    /// <summary>A link may not send a person, freshly signed in, to another site.</summary>
    private static string LocalOnly(string? url) =>
        url is ['/', ..] && !url.StartsWith("//", StringComparison.Ordinal) && !url.StartsWith("/\\", StringComparison.Ordinal) ? url : "/";
}
