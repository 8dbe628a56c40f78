using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts.Schemas;

namespace Promotions.Api.Endpoints;

/// <summary>What records of the public topics look like: for those who write and read them over Kafka.</summary>
internal static class SchemaEndpoints
{
    private const string Tag = "Event schemas";
    private const string MediaType = "application/schema+json";

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("list_schemas", "GET", EventSchemas.Path, Access.Public, Tag, "The public topics and where the schema of each is", ListAsync)
        {
            Answers = [new(200, SchemasJson.Default.SchemasAnswer, "By topic.")],
            Examples = [new(EventSchemas.Path, 200)],
        },
        new("get_schema", "GET", EventSchemas.Path + "/{name}", Access.Public, Tag, "JSON Schema (2020-12) of one topic's values", GetAsync)
        {
            Description = "Within a version, old writers and old readers go on: fields are not removed, nothing new is required of writers, nothing known is taken from readers. With ETag; If-None-Match is answered 304.",
            Answers = [new(200, null, "The schema.", MediaType), new(304, null, "As you have it.", MediaType)],
            Problems = [ProblemKind.NotFound],
            Examples = [.. EventSchemas.All.Select(schema => new ApiExample(schema.Path, 200)), new(EventSchemas.Path + "/nothing.json", 404)],
        },
    ];

    private static Task ListAsync(ApiCall call)
    {
        call.Answer(200, new SchemasAnswer(EventSchemas.Version, [.. EventSchemas.All.Select(schema => new SchemaAnswer(schema.Name, schema.Path))]), SchemasJson.Default.SchemasAnswer);
        return Task.CompletedTask;
    }

    private static async Task GetAsync(ApiCall call)
    {
        if (EventSchemas.Find(call.PathValue("name")) is not { } schema)
        {
            call.Refuse(ProblemKind.NotFound);
            return;
        }

        var response = call.Context.Response;
        response.Headers.ETag = schema.ETag;
        response.Headers.CacheControl = "public, max-age=3600";
        response.Headers.AccessControlAllowOrigin = "*";        // public and without a key: editors and validators in a browser may read it
        if (Matches(call.Context.Request, schema))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = MediaType;
        response.ContentLength = schema.Bytes.Length;
        await response.Body.WriteAsync(schema.Bytes, call.Aborted);
    }

    /// <summary>Weak comparison, as RFC 9110 wants for If-None-Match; a header that is none asks for nothing.</summary>
    private static bool Matches(HttpRequest request, EventSchema schema)
    {
        if (!EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var known)) return false;
        var own = new EntityTagHeaderValue(schema.ETag);
        foreach (var tag in known)
            if (tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(own, useStrongComparison: false)) return true;
        return false;
    }
}

internal sealed record SchemasAnswer(string Version, IReadOnlyList<SchemaAnswer> Schemas);

internal sealed record SchemaAnswer(string Topic, string Path);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SchemasAnswer))]
internal sealed partial class SchemasJson : JsonSerializerContext;
