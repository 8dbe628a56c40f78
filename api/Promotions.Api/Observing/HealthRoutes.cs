using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Promotions.Api.Endpoints;

namespace Promotions.Api.Observing;

/// <summary><c>/healthz</c>, <c>/readyz</c> and <c>/metrics</c> for a process that serves nothing else.</summary>
public static class HealthRoutes
{
    /// <summary>Needs an <see cref="ApiMetrics"/>; asks every <see cref="IReadinessCheck"/> that is registered.</summary>
    public static IEndpointRouteBuilder MapPromotionsHealth(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var metrics = services.GetRequiredService<ApiMetrics>();
        var readiness = services.GetServices<IReadinessCheck>().ToArray();
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(HealthRoutes));
        foreach (var follower in services.GetServices<IFollowerLag>()) metrics.Add(follower);
        routes.MapGet("/healthz", static context => WriteAsync(context, 200, HealthAnswer.Alive));
        routes.MapGet("/readyz", async context =>
        {
            var answer = await HealthAnswer.AskAsync(readiness, logger, context.RequestAborted);
            await WriteAsync(context, answer.StatusCode, answer);
        });
        routes.MapGet("/metrics", context =>
        {
            context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            return metrics.Registry.CollectAndExportAsTextAsync(context.Response.Body, context.RequestAborted);
        });
        return routes;
    }

    private static Task WriteAsync(HttpContext context, int status, HealthAnswer answer)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, answer, HealthJson.Default.HealthAnswer, context.RequestAborted);
    }
}
