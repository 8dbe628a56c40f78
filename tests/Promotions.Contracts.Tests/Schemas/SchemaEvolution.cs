using System.Globalization;
using System.Text.Json.Nodes;

namespace Promotions.Contracts.Tests.Schemas;

/// <summary>Whether a schema may follow another within one version.</summary>
/// <remarks>What we read (<c>in</c>): everything that the old schema takes, the new one takes. What we write (<c>out</c>): everything that the new schema allows,
/// the old one did, except for new members, which readers ignore. A described field stays described either way.</remarks>
public sealed class SchemaEvolution
{
    private readonly List<string> _breaks = [];
    private readonly JsonObject _narrowRoot;
    private readonly JsonObject _wideRoot;

    private SchemaEvolution(JsonObject narrow, JsonObject wide) => (_narrowRoot, _wideRoot) = (narrow, wide);

    /// <returns>Each rule that is broken, with its place; empty when <paramref name="present"/> may follow <paramref name="earlier"/>.</returns>
    public static IReadOnlyList<string> Breaks(JsonObject earlier, JsonObject present)
    {
        var breaks = new List<string>();
        foreach (var fixedMember in (string[])["$id", "x-topic", "x-direction", "x-key"])
            if (!JsonNode.DeepEquals(earlier[fixedMember], present[fixedMember])) breaks.Add($"{fixedMember}: changed");
        var isInput = (string?)earlier["x-direction"] == "in";
        var (narrow, wide) = isInput ? (earlier, present) : (present, earlier);
        var inside = new SchemaEvolution(narrow, wide);
        inside.Contained(narrow, wide, "");
        Removed(earlier, earlier, present, present, "", breaks, 0);
        return [.. breaks, .. inside._breaks.Distinct()];
    }

    /// <summary>Adds a break for each way in which <paramref name="narrow"/> allows something that <paramref name="wide"/> does not.</summary>
    private void Contained(JsonObject narrowGiven, JsonObject wideGiven, string at)
    {
        var (narrow, wide) = (Flat(_narrowRoot, narrowGiven), Flat(_wideRoot, wideGiven));
        if (Alternatives(narrow) is { } parts)
        {
            foreach (var part in parts)
                if (!(Alternatives(wide) ?? [wide]).Any(other => Fits(part, other, at))) _breaks.Add($"{at}: an alternative is gone or tighter");
            return;
        }
        if (Alternatives(wide) is { } choices)
        {
            if (!choices.Any(other => Fits(narrow, other, at))) _breaks.Add($"{at}: an alternative is gone or tighter");
            return;
        }

        Types(narrow, wide, at);
        Values(narrow, wide, at);
        foreach (var lower in (string[])["minimum", "minLength", "minItems"])
            if (wide[lower] is { } bound && !(narrow[lower] is { } own && (decimal)own >= (decimal)bound)) _breaks.Add($"{at}: {lower} tightened");
        foreach (var upper in (string[])["maximum", "maxLength", "maxItems"])
            if (wide[upper] is { } bound && !(narrow[upper] is { } own && (decimal)own <= (decimal)bound)) _breaks.Add($"{at}: {upper} tightened");
        foreach (var form in (string[])["pattern", "format"])
            if (wide[form] is { } rule && !JsonNode.DeepEquals(rule, narrow[form])) _breaks.Add($"{at}: {form} changed");
        Members(narrow, wide, at);
        if (wide["items"] is JsonObject wideItems) Contained(narrow["items"] as JsonObject ?? [], wideItems, at + "/[]");
    }

    private void Types(JsonObject narrow, JsonObject wide, string at)
    {
        if (wide["type"] is not { } allowed) return;
        if (narrow["const"] is not null || narrow["enum"] is not null) return;        // Values compares what is left
        var types = SchemaCheck.TypesOf(allowed).ToHashSet();
        if (narrow["type"] is not { } own || SchemaCheck.TypesOf(own).Any(type => !types.Contains(type) && !(type == "integer" && types.Contains("number")))) _breaks.Add($"{at}: type narrowed");
    }

    private void Values(JsonObject narrow, JsonObject wide, string at)
    {
        if (ValuesOf(wide) is not { } allowed) return;
        if (ValuesOf(narrow) is not { } own || own.Any(value => !allowed.Any(one => JsonNode.DeepEquals(one, value)))) _breaks.Add($"{at}: a value is gone");
    }

    private void Members(JsonObject narrow, JsonObject wide, string at)
    {
        var narrowNames = NamesOf(narrow["required"]);
        foreach (var name in NamesOf(wide["required"]))
            if (!narrowNames.Contains(name)) _breaks.Add($"{at}/{name}: required by one side only");
        var wideMembers = wide["properties"] as JsonObject ?? [];
        var narrowMembers = narrow["properties"] as JsonObject ?? [];
        var closed = wide["additionalProperties"] is JsonValue value && !(bool)value;
        if (closed && !(narrow["additionalProperties"] is JsonValue own && !(bool)own)) _breaks.Add($"{at}: closed to unknown members");
        foreach (var (name, schema) in narrowMembers)
        {
            if (wideMembers[name] is JsonObject other) Contained(schema!.AsObject(), other, $"{at}/{name}");
            else if (closed) _breaks.Add($"{at}/{name}: removed");
        }
    }

    private bool Fits(JsonObject narrow, JsonObject wide, string at)
    {
        var trial = new SchemaEvolution(_narrowRoot, _wideRoot);
        trial.Contained(narrow, wide, at);
        return trial._breaks.Count == 0;
    }

    /// <summary>A described member that is no longer described, in objects that stand in the same place of both; alternatives are compared as sets by <see cref="Contained"/>.</summary>
    private static void Removed(JsonObject earlierRoot, JsonObject earlierGiven, JsonObject presentRoot, JsonObject presentGiven, string at, List<string> breaks, int depth)
    {
        if (depth > 32) throw new InvalidOperationException("The schema refers to itself.");
        var (earlier, present) = (Flat(earlierRoot, earlierGiven), Flat(presentRoot, presentGiven));
        foreach (var (name, schema) in earlier["properties"] as JsonObject ?? [])
        {
            if (present["properties"]?[name] is JsonObject other) Removed(earlierRoot, schema!.AsObject(), presentRoot, other, $"{at}/{name}", breaks, depth + 1);
            else breaks.Add($"{at}/{name}: removed");
        }
        if (earlier["items"] is JsonObject items && present["items"] is JsonObject others) Removed(earlierRoot, items, presentRoot, others, at + "/[]", breaks, depth + 1);
        if (Alternatives(earlier) is { } before && Alternatives(present) is { } after)
            for (var i = 0; i < Math.Min(before.Count, after.Count); i++) Removed(earlierRoot, before[i], presentRoot, after[i], string.Create(CultureInfo.InvariantCulture, $"{at}/({i})"), breaks, depth + 1);
    }

    /// <summary>With a reference followed, and what stands beside it kept.</summary>
    private static JsonObject Flat(JsonObject root, JsonObject schema)
    {
        if (schema["$ref"] is not { } reference) return schema;
        var flat = (JsonObject)Flat(root, SchemaCheck.Resolve(root, reference)).DeepClone();
        foreach (var (name, value) in schema)
            if (name is not "$ref") flat[name] = value?.DeepClone();
        return flat;
    }

    private static IReadOnlyList<JsonObject>? Alternatives(JsonObject schema) => (schema["oneOf"] ?? schema["anyOf"]) is JsonArray all ? [.. all.Select(one => one!.AsObject())] : null;

    private static IReadOnlyList<JsonNode?>? ValuesOf(JsonObject schema) => schema["const"] is { } one ? [one] : schema["enum"] is JsonArray several ? [.. several] : null;

    private static HashSet<string> NamesOf(JsonNode? required) => required is JsonArray names ? [.. names.Select(name => (string)name!)] : [];
}
