using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Promotions.Contracts.Tests.Schemas;

/// <summary>Validates by the part of JSON Schema 2020-12 that our schemas use. A keyword that it does not know throws: nothing is taken for checked that was not.</summary>
/// <remarks>By hand, since the libraries that restore here know no 2020-12 or ask every user to accept terms of their own. <c>format</c> is an assertion.</remarks>
public static class SchemaCheck
{
    /// <returns>The first thing that is wrong, with its place; null when the value is valid.</returns>
    public static string? FirstError(JsonObject root, JsonNode? value) => Check(root, root, value, "");

    private static string? Check(JsonObject root, JsonObject schema, JsonNode? value, string at)
    {
        foreach (var (keyword, argument) in schema)
            if (One(root, schema, keyword, argument!, value, at) is { } error) return error;
        return null;
    }

    private static string? One(JsonObject root, JsonObject schema, string keyword, JsonNode argument, JsonNode? value, string at) => keyword switch
    {
        "$schema" or "$id" or "$defs" or "$comment" or "title" or "description" or "x-topic" or "x-direction" or "x-key" => null,
        "$ref" => Check(root, Resolve(root, argument), value, at),
        "type" => TypesOf(argument).Any(type => IsOf(type, value)) ? null : $"{at}: not of type {argument.ToJsonString()}",
        "const" => JsonNode.DeepEquals(argument, value) ? null : $"{at}: not {argument.ToJsonString()}",
        "enum" => argument.AsArray().Any(one => JsonNode.DeepEquals(one, value)) ? null : $"{at}: none of {argument.ToJsonString()}",
        "required" => value is JsonObject given ? argument.AsArray().Select(name => (string)name!).Where(name => !given.ContainsKey(name)).Select(name => $"{at}/{name}: is required").FirstOrDefault() : null,
        "properties" => value is JsonObject given
            ? argument.AsObject().Where(one => given.ContainsKey(one.Key)).Select(one => Check(root, one.Value!.AsObject(), given[one.Key], $"{at}/{one.Key}")).FirstOrDefault(error => error is not null) : null,
        "additionalProperties" => (bool)argument || value is not JsonObject given ? null
            : given.Where(one => schema["properties"]?[one.Key] is null).Select(one => $"{at}/{one.Key}: is unknown").FirstOrDefault(),
        "items" => value is JsonArray all ? all.Select((one, index) => Check(root, argument.AsObject(), one, string.Create(CultureInfo.InvariantCulture, $"{at}/{index}"))).FirstOrDefault(error => error is not null) : null,
        "minItems" => value is not JsonArray all || all.Count >= (int)argument ? null : $"{at}: too few",
        "maxItems" => value is not JsonArray all || all.Count <= (int)argument ? null : $"{at}: too many",
        "minimum" => Number(value) is not { } number || number >= (decimal)argument ? null : $"{at}: below {argument.ToJsonString()}",
        "maximum" => Number(value) is not { } number || number <= (decimal)argument ? null : $"{at}: above {argument.ToJsonString()}",
        "minLength" => Text(value) is not { } text || text.EnumerateRunes().Count() >= (int)argument ? null : $"{at}: too short",
        "maxLength" => Text(value) is not { } text || text.EnumerateRunes().Count() <= (int)argument ? null : $"{at}: too long",
        "pattern" => Text(value) is not { } text || Regex.IsMatch(text, Ecma((string)argument!), RegexOptions.CultureInvariant) ? null : $"{at}: does not match {argument.ToJsonString()}",
        "format" => Text(value) is not { } text || HasFormat((string)argument!, text) ? null : $"{at}: no {argument.ToJsonString()}",
        "anyOf" => argument.AsArray().Any(one => Check(root, one!.AsObject(), value, at) is null) ? null : $"{at}: none of the alternatives",
        "oneOf" => argument.AsArray().Count(one => Check(root, one!.AsObject(), value, at) is null) == 1 ? null : $"{at}: not exactly one of the alternatives",
        _ => throw new NotSupportedException($"The schema keyword '{keyword}' is not checked here: add it."),
    };

    public static JsonObject Resolve(JsonObject root, JsonNode reference) =>
        root["$defs"]?[((string)reference!)["#/$defs/".Length..]] as JsonObject ?? throw new InvalidOperationException($"{reference} leads nowhere.");

    public static IEnumerable<string> TypesOf(JsonNode argument) => argument is JsonArray several ? several.Select(type => (string)type!) : [(string)argument!];

    private static bool IsOf(string type, JsonNode? value) => (type, value?.GetValueKind() ?? JsonValueKind.Null) switch
    {
        ("null", JsonValueKind.Null) or ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String)
            or ("boolean", JsonValueKind.True or JsonValueKind.False) or ("number", JsonValueKind.Number) => true,
        ("integer", JsonValueKind.Number) => Number(value) is { } number && decimal.Truncate(number) == number,
        _ => false,
    };

    private static decimal? Number(JsonNode? value) => value?.GetValueKind() is JsonValueKind.Number ? decimal.Parse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture) : null;

    private static string? Text(JsonNode? value) => value?.GetValueKind() is JsonValueKind.String ? (string)value! : null;

    /// <summary>In ECMA-262 <c>$</c> is the very end and <c>\d</c> is ASCII; in .NET neither is.</summary>
    private static string Ecma(string pattern) => (pattern.EndsWith('$') ? pattern[..^1] + @"\z" : pattern).Replace(@"\d", "[0-9]", StringComparison.Ordinal);

    private static bool HasFormat(string format, string text) => format switch
    {
        "date-time" => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "ipv4" => text.Split('.') is { Length: 4 } parts && parts.All(part => part.Length is > 0 and <= 3 && part.All(char.IsAsciiDigit) && (part.Length == 1 || part[0] != '0') && int.Parse(part, CultureInfo.InvariantCulture) < 256),
        "ipv6" => text.Contains(':', StringComparison.Ordinal) && text.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.') && IPAddress.TryParse(text, out _),
        _ => throw new NotSupportedException($"The format '{format}' is not checked here: add it."),
    };
}
