using System.Text.Json.Serialization.Metadata;
using Promotions.Api.Keys;
using Promotions.Api.Problems;
using Promotions.Contracts;

namespace Promotions.Api.Http;

public delegate Task ApiHandler(ApiCall call);

/// <summary>Who may call. There is no default: an operation without one cannot be made.</summary>
/// <param name="Scopes">Any of these, or admin; None only with <paramref name="IsPublic"/>.</param>
public sealed record Access(KeyScopes Scopes, bool IsPublic)
{
    public static readonly Access Public = new(KeyScopes.None, true);
    public static readonly Access Checkout = new(KeyScopes.Checkout, false);
    public static readonly Access Admin = new(KeyScopes.Admin, false);
    public static readonly Access Analyst = new(KeyScopes.Analyst, false);
}

/// <summary>A parameter of the query. Others are refused.</summary>
public sealed record QueryParameter(string Name, string Type, string Description);

/// <summary>An answer that is no problem. Type is null for an empty body or one that is not JSON.</summary>
public sealed record ApiAnswer(int Status, JsonTypeInfo? Type, string Description, string MediaType = "application/json");

/// <summary>A call that works as it stands, in the order of the table: the document shows it and a test makes it.</summary>
/// <param name="Path">With the path's parameters filled in.</param>
public sealed record ApiExample(string Path, int Status, string? Body = null);

/// <summary>One row of the API: the route, who may use it, what goes in and comes out, and how it is done. Routing, authorisation and the OpenAPI document read this table.</summary>
public sealed record ApiOperation(string Id, string Method, string Path, Access Access, string Tag, string Summary, ApiHandler Handler)
{
    public string? Description { get; init; }
    public JsonTypeInfo? Request { get; init; }
    /// <summary>The body may be left out.</summary>
    public bool RequestOptional { get; init; }
    public int BodyMax { get; init; } = Bounds.BodyMax;
    /// <summary>Takes <c>Idempotency-Key</c>.</summary>
    public bool HasId { get; init; }
    public IReadOnlyList<QueryParameter> Query { get; init; } = [];
    public required IReadOnlyList<ApiAnswer> Answers { get; init; }
    /// <summary>Besides those that every operation of its kind may answer.</summary>
    public IReadOnlyList<ProblemKind> Problems { get; init; } = [];
    public required IReadOnlyList<ApiExample> Examples { get; init; }
}
