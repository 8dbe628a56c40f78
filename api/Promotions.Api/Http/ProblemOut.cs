using System.Globalization;
using Microsoft.AspNetCore.Http;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Json;

namespace Promotions.Api.Http;

/// <summary>Writes a problem document (RFC 9457). It holds nothing of the inside: no stack, no type, no statement.</summary>
internal static class ProblemOut
{
    public const string MediaType = "application/problem+json";

    public static void Write(HttpContext context, ProblemKind kind, string? detail, IReadOnlyList<FieldError>? errors, int retryAfterSeconds = 0)
    {
        var (status, title, retryAfter) = ProblemKinds.Describe(kind);
        var response = context.Response;
        retryAfter = Math.Max(retryAfter, retryAfterSeconds);
        if (retryAfter > 0) response.Headers.RetryAfter = retryAfter.ToString(CultureInfo.InvariantCulture);
        if (kind is ProblemKind.NotAuthenticated) response.Headers.WWWAuthenticate = "Bearer";
        if (kind is ProblemKind.BodyTooLarge) response.Headers.Connection = "close";   // the rest of the body is not worth reading
        var problem = new ProblemAnswer(
            ProblemTypes.TypeOf(kind), title, status, ProblemTypes.CodeOf(kind), detail, $"urn:promotions:request:{context.TraceIdentifier}", errors);
        JsonOut.Write(response, status, problem, ContractsJson.Default.ProblemAnswer, MediaType);
    }
}
