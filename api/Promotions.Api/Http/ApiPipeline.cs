using System.Globalization;
using Microsoft.AspNetCore.Http;
using Promotions.Analytics.Results;
using Promotions.Api.Keys;
using Promotions.Api.Limits;
using Promotions.Api.Problems;
using Promotions.Domain;
using Promotions.Ledger;

namespace Promotions.Api.Http;

/// <summary>What stands around every operation: key, scope, rate, faults. One per operation, made at start.</summary>
internal sealed class ApiPipeline(ApiOperation operation, ApiServices services, InFlight inFlight)
{
    private const string Bearer = "Bearer ";
    private readonly Observing.RouteMetrics _metrics = services.Metrics.Route(operation.Id);

    public async Task InvokeAsync(HttpContext context)
    {
        var started = services.Time.GetTimestamp();
        var entered = inFlight.TryEnter();
        try
        {
            if (entered && !operation.Access.IsPublic) await services.Keys.FreshAsync().WaitAsync(services.Options.AnswerTimeout, services.Time);
            if (Admit(context, entered) is { } call) await operation.Handler(call);
        }
        catch (Exception exception) when (!context.Response.HasStarted && Explain(exception, context) is { } fault)
        {
            // What a handler wrote before it failed is not flushed yet; a half-written answer is dropped with the connection otherwise.
            context.Response.Headers.ContentLength = null;
            ProblemOut.Write(context, fault, null, null);
        }
        finally
        {
            if (entered) inFlight.Leave();
            _metrics.Answered(context.Response.StatusCode, services.Time.GetElapsedTime(started));
        }
    }

    /// <summary>Null when the request goes no further; the refusal is written.</summary>
    private ApiCall? Admit(HttpContext context, bool entered)
    {
        var nowTicks = TicksOf(services.Time);
        var key = operation.Access.IsPublic ? null : Authenticate(context);
        var bucket = key?.Bucket ?? services.Anonymous.Find(context.Connection.RemoteIpAddress, nowTicks);
        var taken = bucket.Take(nowTicks);
        WriteRate(context.Response, bucket, taken);

        if (!taken.Allowed)
        {
            ProblemOut.Write(context, ProblemKind.RateLimited, null, null, taken.RetryAfterSeconds);
            return null;
        }
        if (!entered) return Refuse(context, ProblemKind.Overloaded);
        if (!operation.Access.IsPublic)
        {
            if (key is null) return Refuse(context, ProblemKind.NotAuthenticated);
            if (!key.Has(operation.Access.Scopes)) return Refuse(context, ProblemKind.NotAllowed);
        }
        if (context.Request.QueryString.HasValue && UnknownParameter(context.Request.Query) is { } unknown)
        {
            ProblemOut.Write(context, ProblemKind.UnknownField, $"The query has an unknown {(unknown.Length <= 64 ? unknown : "parameter")}.", null);
            return null;
        }
        return new ApiCall(context, services, operation, key, EventTime.Now(services.Time));
    }

    private ApiKey? Authenticate(HttpContext context)
    {
        var header = context.Request.Headers.Authorization;
        return header.Count == 1 && header[0] is { } value && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? services.Keys.Find(value.AsSpan(Bearer.Length).Trim())
            : null;
    }

    private static ApiCall? Refuse(HttpContext context, ProblemKind kind)
    {
        ProblemOut.Write(context, kind, null, null);
        return null;
    }

    private string? UnknownParameter(IQueryCollection query)
    {
        foreach (var (name, _) in query)
            if (!operation.Query.Any(parameter => parameter.Name == name)) return name;
        return null;
    }

    private static void WriteRate(HttpResponse response, TokenBucket bucket, in Taken taken)
    {
        var headers = response.Headers;
        headers["RateLimit-Limit"] = SmallNumbers.Text(bucket.Capacity);
        headers["RateLimit-Remaining"] = SmallNumbers.Text(taken.Remaining);
        headers["RateLimit-Reset"] = SmallNumbers.Text(taken.ResetSeconds);
        headers["RateLimit-Policy"] = bucket.Policy;
    }

    /// <summary>Null for what is not ours to explain: the connection is gone.</summary>
    private ProblemKind? Explain(Exception exception, HttpContext context)
    {
        switch (exception)
        {
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return ProblemKind.BodyTooLarge;
            case BadHttpRequestException or IOException when context.RequestAborted.IsCancellationRequested:
            case OperationCanceledException when context.RequestAborted.IsCancellationRequested:
                return null;
            case BadHttpRequestException:
                return ProblemKind.MalformedJson;
            case LedgerFaultException { OutOfRoom: true }:
                ApiLog.LedgerFault(services.Logger, exception, operation.Id, context.TraceIdentifier);
                return ProblemKind.OutOfRoom;
            case LedgerFaultException:
                ApiLog.LedgerFault(services.Logger, exception, operation.Id, context.TraceIdentifier);
                return ProblemKind.LedgerUnavailable;
            case AnalyticsUnavailableException:
                ApiLog.ResultsAway(services.Logger, exception, operation.Id, context.TraceIdentifier);
                return ProblemKind.ResultsUnavailable;
            case TimeoutException or OperationCanceledException:
                ApiLog.TimedOut(services.Logger, exception, operation.Id, context.TraceIdentifier);
                return ProblemKind.TimedOut;
            default:
                ApiLog.Broken(services.Logger, exception, operation.Id, context.TraceIdentifier);
                return ProblemKind.InternalError;
        }
    }

    private static long TicksOf(TimeProvider time)
    {
        var timestamp = time.GetTimestamp();
        return time.TimestampFrequency == TimeSpan.TicksPerSecond ? timestamp : (long)((Int128)timestamp * TimeSpan.TicksPerSecond / time.TimestampFrequency);
    }
}

/// <summary>How many requests are being answered, with a bound: shedding keeps the rest fast.</summary>
internal sealed class InFlight(int max)
{
    private int _count;

    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _count) <= max) return true;
        Interlocked.Decrement(ref _count);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _count);
}

/// <summary>Decimal texts of small numbers, made once: headers of every answer.</summary>
internal static class SmallNumbers
{
    private static readonly string[] Texts = [.. Enumerable.Range(0, 16_384).Select(number => number.ToString(CultureInfo.InvariantCulture))];

    public static string Text(int number) => (uint)number < (uint)Texts.Length ? Texts[number] : number.ToString(CultureInfo.InvariantCulture);
}
