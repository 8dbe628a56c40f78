using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Promotions.Admin.SignIn;

/// <summary>Signing in and out: plain forms, so that no circuit exists before somebody is known.</summary>
internal static class SignInEndpoints
{
    public const string Scheme = "promotions-admin";
    public const string Path = "/sign-in";

    private const int KeyLengthMax = 512;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(Path, (string? returnUrl) => Page(returnUrl, failed: false)).AllowAnonymous();
        endpoints.MapPost(Path, SignInAsync).AllowAnonymous();
        endpoints.MapPost("/sign-out", SignOutAsync).AllowAnonymous();
    }

    private static async Task<IResult> SignInAsync(HttpContext context, [FromForm] string? key, [FromForm] string? returnUrl, IAdminSignIn signIn, CancellationToken cancellationToken)
    {
        var identity = string.IsNullOrWhiteSpace(key) || key.Length > KeyLengthMax ? null : await signIn.FindAsync(key.Trim(), cancellationToken);
        if (identity is null)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Page(returnUrl, failed: true);
        }

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

    private static RazorComponentResult<SignInPage> Page(string? returnUrl, bool failed) => new(new { ReturnUrl = LocalOnly(returnUrl), Failed = failed });

    /// <summary>A link may not send a person, freshly signed in, to another site.</summary>
    private static string LocalOnly(string? url) =>
        url is ['/', ..] && !url.StartsWith("//", StringComparison.Ordinal) && !url.StartsWith("/\\", StringComparison.Ordinal) ? url : "/";
}
