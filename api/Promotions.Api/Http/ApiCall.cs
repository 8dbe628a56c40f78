using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Promotions.Api.Keys;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Domain;

namespace Promotions.Api.Http;

/// <summary>One request on its way: who asks, when it came, and how to answer.</summary>
public sealed class ApiCall(HttpContext context, ApiServices services, ApiOperation operation, ApiKey? key, EventTime at)
{
    public const string IdempotencyKeyHeader = "Idempotency-Key";
    public const string IdempotencyHitHeader = "Idempotency-Hit";
    public const string DeadlineHeader = "Promotions-Deadline-Ms";

    public HttpContext Context => context;
    public ApiServices Services => services;

    /// <summary>Arrival: the event time of what the request says.</summary>
    public EventTime At => at;

    public ApiKey Key => key ?? throw new InvalidOperationException("A public operation has no key.");

    public string PathValue(string name) => (string?)context.Request.RouteValues[name] ?? "";

    /// <summary>Cancels with the connection. For reads; what may take effect is not cancelled half-way.</summary>
    public CancellationToken Aborted => context.RequestAborted;

    /// <returns>Null when the body was refused; the refusal is written.</returns>
    public async ValueTask<T?> ReadAsync<T>(JsonTypeInfo<T> type) where T : class
    {
        var request = context.Request;
        if (!IsJson(request))
        {
            Refuse(ProblemKind.UnsupportedMediaType);
            return null;
        }
        if (request.ContentLength > operation.BodyMax)
        {
            Refuse(ProblemKind.BodyTooLarge, TooLarge());
            return null;
        }

        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync();
            if (read.Buffer.Length > operation.BodyMax)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                Refuse(ProblemKind.BodyTooLarge, TooLarge());
                return null;
            }
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }
            return Parse(reader, read.Buffer, type);
        }
    }

    private T? Parse<T>(PipeReader reader, in ReadOnlySequence<byte> body, JsonTypeInfo<T> type) where T : class
    {
        var value = StrictJson.Read(body, type, out var error);
        reader.AdvanceTo(body.End);
        if (error is not null) Refuse(ProblemKinds.FromField(error.Code), errors: [error]);
        return value;
    }

    /// <summary>True when there is no body at all, for calls that may go without.</summary>
    public bool HasNoBody => context.Request.ContentLength is 0 || (context.Request.ContentLength is null && context.Request.ContentType is null);

    /// <summary>The idempotency id, from the header, the body, or both where they agree.</summary>
    /// <param name="place">Where the body has it.</param>
    /// <returns>False when there is none or it was refused; the refusal is written.</returns>
    public bool TryId(string? bodyId, out string id, string place = "/id")
    {
        if (!TryOptionalId(bodyId, out var given, place))
        {
            id = "";
            return false;
        }
        id = given ?? "";
        if (given is null) Refuse(ProblemKind.MissingId);
        return given is not null;
    }

    public bool TryOptionalId(string? bodyId, out string? id, string place = "/id")
    {
        id = null;
        var headers = context.Request.Headers[IdempotencyKeyHeader];
        string? headerId = null;
        if (headers.Count > 0)
        {
            headerId = Unquote(headers.Count == 1 ? headers[0] : null);
            if (!Identifier.IsValid(headerId))
            {
                Refuse(ProblemKind.InvalidRequest, "Idempotency-Key must be 1 to 64 of A-Z a-z 0-9 . _ : - , bare or in quotes, once.");
                return false;
            }
        }
        if (bodyId is not null && !Identifier.IsValid(bodyId))
        {
            Refuse(ProblemKind.InvalidRequest, errors: [new(place, "invalid_id", "Must be 1 to 64 of A-Z a-z 0-9 . _ : -")]);
            return false;
        }
        if (bodyId is not null && headerId is not null && bodyId != headerId)
        {
            Refuse(ProblemKind.IdConflict);
            return false;
        }
        id = bodyId ?? headerId;
        return true;
    }

    /// <summary>The caller's deadline: a number of milliseconds from arrival, so that clocks need not agree.</summary>
    public bool TryDeadline(out EventTime? deadline)
    {
        deadline = null;
        var header = context.Request.Headers[DeadlineHeader];
        if (header.Count == 0) return true;
        if (header.Count == 1 && int.TryParse(header[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ms) && ms is >= 1 and <= 600_000)
        {
            deadline = new EventTime(at.UnixMilliseconds + ms);
            return true;
        }
        Refuse(ProblemKind.InvalidRequest, $"{DeadlineHeader} must be 1 to 600000.");
        return false;
    }

    /// <summary>A number of the query, or its default. False when it is none; the refusal is written.</summary>
    public bool TryQuery(string name, long min, long max, long whenLeftOut, out long value)
    {
        value = whenLeftOut;
        var given = context.Request.Query[name];
        if (given.Count == 0) return true;
        if (given.Count == 1 && long.TryParse(given[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= min && value <= max) return true;
        Refuse(ProblemKind.InvalidRequest, string.Create(CultureInfo.InvariantCulture, $"The query's {name} must be {min} to {max}."));
        return false;
    }

    public bool TryQuery(string name, bool whenLeftOut, out bool value)
    {
        value = whenLeftOut;
        var given = context.Request.Query[name];
        if (given.Count == 0) return true;
        if (given.Count == 1 && given[0] is "true" or "false")
        {
            value = given[0] is "true";
            return true;
        }
        Refuse(ProblemKind.InvalidRequest, $"The query's {name} must be true or false.");
        return false;
    }

    public void Answer<T>(int status, T value, JsonTypeInfo<T> type) => JsonOut.Write(context.Response, status, value, type, "application/json");

    /// <summary>Say that the answer is the one recorded the first time.</summary>
    public void MarkRepeated(bool repeated)
    {
        if (repeated) context.Response.Headers[IdempotencyHitHeader] = "true";
    }

    public void Refuse(FieldErrors errors) => Refuse(ProblemKind.InvalidRequest, errors: errors.List);

    public void Refuse(ProblemKind kind, string? detail = null, IReadOnlyList<FieldError>? errors = null) => ProblemOut.Write(context, kind, detail, errors);

    private string TooLarge() => string.Create(CultureInfo.InvariantCulture, $"At most {operation.BodyMax} bytes.");

    private static bool IsJson(HttpRequest request)
    {
        if (request.Headers.ContentEncoding.Count > 0) return false;
        var type = request.ContentType.AsSpan();
        if (type.Equals("application/json", StringComparison.OrdinalIgnoreCase)) return true;
        var end = type.IndexOf(';');
        if (end < 0 || !type[..end].TrimEnd().Equals("application/json", StringComparison.OrdinalIgnoreCase)) return false;
        var parameter = type[(end + 1)..].Trim();
        return parameter.Equals("charset=utf-8", StringComparison.OrdinalIgnoreCase) || parameter.Equals("charset=\"utf-8\"", StringComparison.OrdinalIgnoreCase);
    }

    private static string? Unquote(string? value) => value is ['"', .. var inner, '"'] ? inner : value;
}
