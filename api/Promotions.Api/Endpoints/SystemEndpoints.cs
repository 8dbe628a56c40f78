using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Promotions.Api.Http;
using Promotions.Api.Observing;

namespace Promotions.Api.Endpoints;

/// <summary>For operators and machines: no key, nothing about customers.</summary>
internal static class SystemEndpoints
{
    private const string Tag = "System";

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("openapi", "GET", "/openapi/v1.json", Access.Public, Tag, "This document", OpenApiAsync)
        {
            Answers = [new(200, null, "OpenAPI 3.1.")],
            Examples = [new("/openapi/v1.json", 200)],
        },
        new("alive", "GET", "/healthz", Access.Public, Tag, "The process answers", AliveAsync)
        {
            Answers = [new(200, HealthJson.Default.HealthAnswer, "Alive.")],
            Examples = [new("/healthz", 200)],
        },
        new("ready", "GET", "/readyz", Access.Public, Tag, "Requests may be sent here", ReadyAsync)
        {
            Answers = [new(200, HealthJson.Default.HealthAnswer, "Ready."), new(503, HealthJson.Default.HealthAnswer, "Not ready, and what is missing.")],
            Examples = [new("/readyz", 200)],
        },
        new("metrics", "GET", "/metrics", Access.Public, Tag, "Numbers in Prometheus' text format", MetricsAsync)
        {
            Answers = [new(200, null, "Decisions by outcome, latency by stage, lag of each follower.", "text/plain")],
            Examples = [new("/metrics", 200)],
        },
    ];

    private static async Task OpenApiAsync(ApiCall call)
    {
        call.Context.Response.ContentType = "application/json";
        await call.Context.Response.Body.WriteAsync(OpenApi.OpenApiDocument.Bytes, call.Aborted);
    }

    private static Task AliveAsync(ApiCall call)
    {
        call.Answer(200, HealthAnswer.Alive, HealthJson.Default.HealthAnswer);
        return Task.CompletedTask;
    }

    private static async Task ReadyAsync(ApiCall call)
    {
        var answer = await HealthAnswer.AskAsync(call.Services.Readiness, call.Services.Logger, call.Aborted);
        call.Answer(answer.StatusCode, answer, HealthJson.Default.HealthAnswer);
    }

    private static Task MetricsAsync(ApiCall call)
    {
        call.Context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        return call.Services.Metrics.Registry.CollectAndExportAsTextAsync(call.Context.Response.Body, call.Aborted);
    }
}

/// <param name="Missing">What is not ready.</param>
internal sealed record HealthAnswer(string Status, IReadOnlyList<HealthCheckAnswer> Missing)
{
    public static readonly HealthAnswer Alive = new("alive", []);

    [JsonIgnore]
    public int StatusCode => Missing.Count == 0 ? 200 : 503;

    public static async Task<HealthAnswer> AskAsync(IReadOnlyList<IReadinessCheck> checks, ILogger logger, CancellationToken cancellationToken)
    {
        var missing = new List<HealthCheckAnswer>();
        foreach (var check in checks)
            if (await AskAsync(check, logger, cancellationToken) is { } reason) missing.Add(new(check.Name, reason));
        return new(missing.Count == 0 ? "ready" : "not_ready", missing);
    }

    private static async Task<string?> AskAsync(IReadinessCheck check, ILogger logger, CancellationToken cancellationToken)
    {
        try
        {
            return await check.CheckAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            ApiLog.ReadinessCheckFailed(logger, exception, check.Name);
            return "The check itself failed; see the log.";
        }
    }
}

internal sealed record HealthCheckAnswer(string Check, string Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HealthAnswer))]
internal sealed partial class HealthJson : JsonSerializerContext;
