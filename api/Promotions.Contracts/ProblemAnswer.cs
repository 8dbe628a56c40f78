using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Promotions.Contracts;

/// <summary>RFC 9457 problem details.</summary>
/// <param name="Type">Stable; one per code.</param>
/// <param name="Code">The last part of the type, for programs.</param>
/// <param name="Instance">Names this one occurrence; it is in the server's log.</param>
[Description("RFC 9457 problem details.")]
public sealed record ProblemAnswer(
    string Type,
    string Title,
    int Status,
    string Code,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Detail,
    string? Instance,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<FieldError>? Errors);

/// <param name="Pointer">RFC 6901 JSON Pointer into the request's body; empty for the whole body.</param>
public sealed record FieldError(string Pointer, string Code, string Detail);
