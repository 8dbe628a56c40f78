using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Promotions.Api.Endpoints;
using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Json;

namespace Promotions.Api.OpenApi;

/// <summary>OpenAPI 3.1 from the table that also routes and authorises: what is not described does not exist.</summary>
public static class OpenApiDocument
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Made when first asked for; the table does not change.
    private static readonly Lazy<byte[]> Made = new(() => Write(Make(ApiTable.All)));

    public static ReadOnlyMemory<byte> Bytes => Made.Value;

    public static JsonObject Make(IReadOnlyList<ApiOperation> operations)
    {
        var schemas = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        var paths = new JsonObject();
        foreach (var operation in operations)
        {
            if (paths[operation.Path] is not JsonObject path) paths[operation.Path] = path = [];
            path[operation.Method.ToLowerInvariant()] = Describe(operation, schemas);
        }
        return new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject
            {
                ["title"] = "Promotions",
                ["version"] = "1",
                ["description"] = "Coupons, points and balances with a fraud decision inside every redemption. Times are UTC ISO-8601, money is in minor units, unknown fields are refused.",
                ["license"] = new JsonObject { ["name"] = "Apache-2.0", ["identifier"] = "Apache-2.0" },
            },
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = new JsonObject(schemas.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value))),
                ["securitySchemes"] = new JsonObject { ["key"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["bearerFormat"] = "pk_..." } },
            },
        };
    }

    private static JsonObject Describe(ApiOperation operation, SortedDictionary<string, JsonNode> schemas)
    {
        var described = new JsonObject
        {
            ["operationId"] = operation.Id,
            ["tags"] = new JsonArray(operation.Tag),
            ["summary"] = operation.Summary,
        };
        if (operation.Description is not null) described["description"] = operation.Description;
        if (operation.Access.IsPublic) described["security"] = new JsonArray();
        else
        {
            described["security"] = new JsonArray(new JsonObject { ["key"] = new JsonArray() });
            described["x-scopes"] = new JsonArray([.. Keys.KeyScopesText.Names(operation.Access.Scopes | Keys.KeyScopes.Admin).Select(name => (JsonNode)name)]);
        }
        if (Parameters(operation) is { Count: > 0 } parameters) described["parameters"] = parameters;
        if (operation.Request is not null)
        {
            var examples = new JsonObject();
            foreach (var example in operation.Examples)
                if (example.Body is not null) examples[$"example_{examples.Count + 1}"] = new JsonObject { ["value"] = JsonNode.Parse(example.Body) };
            described["requestBody"] = new JsonObject
            {
                ["required"] = !operation.RequestOptional,
                ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = Reference(operation.Request, schemas), ["examples"] = examples } },
            };
        }
        described["responses"] = Responses(operation, schemas);
        described["x-examples"] = new JsonArray([.. operation.Examples.Select(example => (JsonNode)new JsonObject { ["path"] = example.Path, ["status"] = example.Status })]);
        return described;
    }

    private static JsonArray Parameters(ApiOperation operation)
    {
        var parameters = new JsonArray();
        foreach (var part in operation.Path.Split('/'))
        {
            if (part is not ['{', .. var name, '}']) continue;
            parameters.Add(Parameter("path", name, true, new JsonObject { ["type"] = "string", ["maxLength"] = Bounds.CodeMax }, name is "code" ? "A coupon's code." : "An id."));
        }
        foreach (var query in operation.Query) parameters.Add(Parameter("query", query.Name, false, new JsonObject { ["type"] = query.Type }, query.Description));
        if (operation.HasId)
        {
            parameters.Add(Parameter(
                "header", ApiCall.IdempotencyKeyHeader, false, new JsonObject { ["type"] = "string", ["examples"] = new JsonArray("\"8e03978e-40d5-43e8-bc93-6894a57f9324\"") },
                "The id, bare or in quotes, instead of or equal to the body's. Kept for ever."));
        }
        return parameters;
    }

    private static JsonObject Parameter(string place, string name, bool required, JsonObject schema, string description) =>
        new() { ["name"] = name, ["in"] = place, ["required"] = required, ["schema"] = schema, ["description"] = description };

    private static JsonObject Responses(ApiOperation operation, SortedDictionary<string, JsonNode> schemas)
    {
        var responses = new JsonObject();
        foreach (var answer in operation.Answers)
        {
            var content = new JsonObject
            {
                [answer.MediaType] = new JsonObject { ["schema"] = answer.Type is null ? new JsonObject { ["type"] = answer.MediaType is "text/plain" ? "string" : "object" } : Reference(answer.Type, schemas) },
            };
            responses[Text(answer.Status)] = new JsonObject { ["description"] = answer.Description, ["headers"] = RateHeaders(), ["content"] = content };
        }
        foreach (var problems in ProblemsOf(operation).GroupBy(kind => ProblemKinds.Describe(kind).Status).OrderBy(group => group.Key))
        {
            if (responses.ContainsKey(Text(problems.Key))) continue;
            var examples = new JsonObject();
            foreach (var kind in problems) examples[ProblemTypes.CodeOf(kind)] = new JsonObject { ["value"] = ExampleOf(kind) };
            responses[Text(problems.Key)] = new JsonObject
            {
                ["description"] = string.Join(" ", problems.Select(kind => ProblemKinds.Describe(kind).Title)),
                ["headers"] = RateHeaders(),
                ["content"] = new JsonObject
                {
                    [ProblemOut.MediaType] = new JsonObject { ["schema"] = Reference(ContractsJson.Default.ProblemAnswer, schemas), ["examples"] = examples },
                },
            };
        }
        return responses;
    }

    /// <summary>Those of its own, and those of its kind.</summary>
    private static IEnumerable<ProblemKind> ProblemsOf(ApiOperation operation)
    {
        var problems = new List<ProblemKind>(operation.Problems);
        if (!operation.Access.IsPublic) problems.AddRange([ProblemKind.NotAuthenticated, ProblemKind.NotAllowed]);
        if (operation.Request is not null)
            problems.AddRange([ProblemKind.MalformedJson, ProblemKind.UnknownField, ProblemKind.DuplicateField, ProblemKind.InvalidRequest, ProblemKind.BodyTooLarge, ProblemKind.UnsupportedMediaType]);
        else if (operation.Query.Count > 0) problems.AddRange([ProblemKind.UnknownField, ProblemKind.InvalidRequest]);
        if (operation.HasId) problems.AddRange([ProblemKind.MissingId, ProblemKind.IdConflict]);
        problems.AddRange([ProblemKind.RateLimited, ProblemKind.InternalError, ProblemKind.Overloaded, ProblemKind.LedgerUnavailable, ProblemKind.OutOfRoom, ProblemKind.TimedOut]);
        return problems.Distinct();
    }

    private static JsonObject ExampleOf(ProblemKind kind)
    {
        var (status, title, _) = ProblemKinds.Describe(kind);
        return new() { ["type"] = ProblemTypes.TypeOf(kind), ["title"] = title, ["status"] = status, ["code"] = ProblemTypes.CodeOf(kind) };
    }

    private static JsonObject RateHeaders()
    {
        var headers = new JsonObject();
        foreach (var (name, description) in (ReadOnlySpan<(string, string)>)
            [("RateLimit-Limit", "Requests in a full bucket."), ("RateLimit-Remaining", "Requests left now."), ("RateLimit-Reset", "Seconds until it is full."), ("RateLimit-Policy", "LIMIT;w=SECONDS")])
            headers[name] = new JsonObject { ["description"] = description, ["schema"] = new JsonObject { ["type"] = name is "RateLimit-Policy" ? "string" : "integer" } };
        return headers;
    }

    private static JsonObject Reference(JsonTypeInfo type, SortedDictionary<string, JsonNode> schemas)
    {
        var name = type.Type.Name;
        if (!schemas.ContainsKey(name)) schemas[name] = Schemas.Of(type);
        return new() { ["$ref"] = $"#/components/schemas/{name}" };
    }

    private static string Text(int status) => status.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static byte[] Write(JsonObject document)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Indented)) document.WriteTo(writer);
        return stream.ToArray();
    }
}
