using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using Promotions.Contracts;

namespace Promotions.Api.OpenApi;

/// <summary>JSON Schema of a contract: its shape from the serializer that reads it, its bounds from the attributes beside the members.</summary>
internal static class Schemas
{
    private static readonly JsonSchemaExporterOptions Options = new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform };

    public static JsonNode Of(JsonTypeInfo type) => type.GetJsonSchemaAsNode(Options);

    private static JsonNode Transform(JsonSchemaExporterContext context, JsonNode schema)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        if (type == typeof(QuantityBody)) schema = Quantity(schema is JsonObject given && MayBeNull(given) || context.PropertyInfo is { IsGetNullable: true });
        if (schema is not JsonObject described) return schema;

        if (context.TypeInfo.Kind is JsonTypeInfoKind.Object)
        {
            // Answers always hold every member; bodies hold what is marked.
            var isBody = type.GetConstructor(Type.EmptyTypes) is not null;
            var required = new JsonArray();
            foreach (var property in context.TypeInfo.Properties)
                if (!isBody || Attribute<RequiredAttribute>(property) is not null) required.Add(property.Name);
            if (required.Count > 0) described["required"] = required;
            else described.Remove("required");
            if (type.GetCustomAttribute<DescriptionAttribute>() is { } about) described["description"] = about.Description;
        }
        if (context.PropertyInfo is { } member) AddBounds(described, member);
        return described;
    }

    private static void AddBounds(JsonObject schema, JsonPropertyInfo member)
    {
        if (Attribute<RequiredAttribute>(member) is not null && schema["type"] is JsonArray types)
            schema["type"] = types.Select(one => one!.GetValue<string>()).First(one => one != "null");
        if (Attribute<DescriptionAttribute>(member) is { } description) schema["description"] = description.Description;
        if (Attribute<RegularExpressionAttribute>(member) is { } pattern) schema["pattern"] = pattern.Pattern;
        if (Attribute<DataTypeAttribute>(member) is { DataType: DataType.DateTime }) schema["format"] = "date-time";
        if (Attribute<RangeAttribute>(member) is { } range)
        {
            schema["minimum"] = Convert.ToInt64(range.Minimum, System.Globalization.CultureInfo.InvariantCulture);
            schema["maximum"] = Convert.ToInt64(range.Maximum, System.Globalization.CultureInfo.InvariantCulture);
        }
        if (Attribute<StringLengthAttribute>(member) is { } length)
        {
            schema["maxLength"] = length.MaximumLength;
            if (length.MinimumLength > 0) schema["minLength"] = length.MinimumLength;
        }
        if (Attribute<MaxLengthAttribute>(member) is { } most) schema["maxItems"] = most.Length;
        if (Attribute<MinLengthAttribute>(member) is { } least) schema["minItems"] = least.Length;
        if (Attribute<AllowedValuesAttribute>(member) is { } allowed)
        {
            var values = new JsonArray([.. allowed.Values.Select(value => (JsonNode?)JsonValue.Create((string)value!))]);
            if (MayBeNull(schema)) values.Add(null);
            schema["enum"] = values;
        }
    }

    /// <summary>Its converter is ours, so the serializer cannot describe it.</summary>
    private static JsonObject Quantity(bool orNull)
    {
        var forms = new JsonArray(
            new JsonObject { ["type"] = "integer", ["description"] = "Points." },
            new JsonObject
            {
                ["type"] = "object",
                ["description"] = "Money.",
                ["additionalProperties"] = false,
                ["required"] = new JsonArray("amount", "currency"),
                ["properties"] = new JsonObject
                {
                    ["amount"] = new JsonObject { ["type"] = "integer", ["description"] = "Minor units." },
                    ["currency"] = new JsonObject { ["type"] = "string", ["pattern"] = "^[A-Z]{3}$" },
                },
            });
        if (orNull) forms.Add(new JsonObject { ["type"] = "null" });
        return new() { ["oneOf"] = forms };
    }

    private static bool MayBeNull(JsonObject schema) => schema["type"] is JsonArray types && types.Any(one => one!.GetValue<string>() == "null");

    /// <summary>A positional record's attributes are on its property, through <c>[property: ...]</c>.</summary>
    private static T? Attribute<T>(JsonPropertyInfo member) where T : Attribute =>
        member.AttributeProvider?.GetCustomAttributes(typeof(T), true) is [T attribute, ..] ? attribute : null;
}
