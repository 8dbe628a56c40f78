using System.Text.Json.Nodes;
using Promotions.Contracts.Schemas;
using Promotions.Contracts.Tests.Schemas;

namespace Promotions.Contracts.Tests;

/// <summary>Released holds the schemas as others know them. A compatible change is copied there by whoever makes it, in the same commit; an incompatible one is a new version.</summary>
public class SchemaEvolutionTests
{
    public static TheoryData<string> Topics => [.. EventSchemas.All.Select(schema => schema.Name)];

    [Fact]
    public void Nothing_that_was_released_is_gone()
    {
        var released = typeof(SchemaEvolutionTests).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("released/v1/", StringComparison.Ordinal)).Select(name => name["released/v1/".Length..]);
        Assert.Equal(released.Order(StringComparer.Ordinal), EventSchemas.All.Select(schema => schema.Name));
    }

    [Theory]
    [MemberData(nameof(Topics))]
    public void A_released_schema_is_followed_only_by_compatible_ones(string topic) => Assert.Empty(SchemaEvolution.Breaks(Released(topic), Present(topic)));

    [Theory]
    // what we read: old writers go on
    [InlineData("redemption-requests", "/required", "[\"id\",\"channel\",\"customer\",\"order\",\"context\"]", "/context: required by one side only")]
    [InlineData("redemption-requests", "/properties/occurred_at", null, "/occurred_at: removed")]
    [InlineData("redemption-requests", "/properties/redeemables/maxItems", "29", "/redeemables: maxItems tightened")]
    [InlineData("redemption-requests", "/properties/redeemables/minItems", "1", "/redeemables: minItems tightened")]
    [InlineData("redemption-requests", "/properties/redeemables/type", "\"array\"", "/redeemables: type narrowed")]
    [InlineData("redemption-requests", "/$defs/redeemable/oneOf/2/properties/type/enum", "[\"cash\",\"gift\"]", "/redeemables/[]: an alternative is gone or tighter")]
    [InlineData("redemption-requests", "/$defs/id/pattern", "\"^[a-z]+$\"", "/id: pattern changed")]
    [InlineData("redemption-requests", "/$defs/item/properties/quantity/maximum", "10", "/order/items/[]/quantity: maximum tightened")]
    [InlineData("redemption-requests", "/$defs/item/properties/quantity/minimum", "2", "/order/items/[]/quantity: minimum tightened")]
    [InlineData("redemption-requests", "/$defs/context/properties/session/maxLength", "10", "/context: an alternative is gone or tighter")]
    [InlineData("redemption-requests", "/x-key", "\"request id\"", "x-key: changed")]
    [InlineData("labels", "/properties/source/enum", "[\"review\",\"chargeback\",\"refund\"]", "/source: a value is gone")]
    [InlineData("labels", "/properties/abuse/type", "\"string\"", "/abuse: type narrowed")]
    [InlineData("labels", "/properties/note/minLength", "5", "/note: minLength tightened")]
    [InlineData("labels", "/properties/note/format", "\"date-time\"", "/note: format changed")]
    [InlineData("voids", "/x-topic", "\"cancellations\"", "x-topic: changed")]
    // what we write: old readers go on
    [InlineData("redemption-decisions", "/$defs/decision/properties/status/enum", "[\"approved\",\"review\",\"blocked\",\"rejected\",\"postponed\"]", ": an alternative is gone or tighter")]
    [InlineData("redemption-decisions", "/$defs/decision/properties/risk", null, "/(0)/risk: removed")]
    [InlineData("balance-changes", "/required", "[\"id\",\"customer_id\",\"segment\",\"change\",\"held_change\",\"cause\",\"occurred_at\"]", "/position: required by one side only")]
    [InlineData("balance-changes", "/properties/segment/enum", "[\"cash\",\"points\",\"refund\",\"gift\",\"miles\"]", "/segment: a value is gone")]
    [InlineData("balance-changes", "/properties/occurred_at/type", "[\"string\",\"null\"]", "/occurred_at: type narrowed")]
    [InlineData("balance-changes", "/properties/position/minimum", null, "/position: minimum tightened")]
    [InlineData("dead-letters", "/properties/dead-letter-offset/pattern", null, "/dead-letter-offset: pattern changed")]
    public void A_break_is_found(string topic, string place, string? changed, string expected)
    {
        var earlier = Present(topic);
        var present = Change(earlier, place, changed);
        Assert.Contains(expected, SchemaEvolution.Breaks(earlier, present));
    }

    [Theory]
    [InlineData("redemption-requests", "/properties/basket_note", "{\"type\":\"string\"}")]
    [InlineData("redemption-requests", "/required", "[\"id\",\"channel\",\"customer\"]")]
    [InlineData("redemption-requests", "/$defs/item/properties/quantity/maximum", "200000")]
    [InlineData("redemption-requests", "/additionalProperties", "true")]
    [InlineData("labels", "/properties/source/enum", "[\"review\",\"chargeback\",\"refund\",\"import\",\"police\"]")]
    [InlineData("labels", "/properties/note/maxLength", null)]
    [InlineData("redemption-decisions", "/$defs/decision/properties/status/enum", "[\"approved\",\"review\",\"blocked\"]")]
    [InlineData("balance-changes", "/properties/campaign_id", "{\"type\":\"string\"}")]
    [InlineData("balance-changes", "/description", "\"Said better.\"")]
    public void A_compatible_change_is_let_through(string topic, string place, string? changed)
    {
        var earlier = Present(topic);
        Assert.Empty(SchemaEvolution.Breaks(earlier, Change(earlier, place, changed)));
    }

    internal static JsonObject Present(string topic) => JsonNode.Parse(EventSchemas.Find(topic)!.Bytes.Span)!.AsObject();

    private static JsonObject Released(string topic)
    {
        using var stream = typeof(SchemaEvolutionTests).Assembly.GetManifestResourceStream("released/v1/" + topic)!;
        return JsonNode.Parse(stream)!.AsObject();
    }

    /// <summary>A copy with one place set, or removed where <paramref name="changed"/> is null.</summary>
    private static JsonObject Change(JsonObject schema, string place, string? changed)
    {
        var copy = (JsonObject)schema.DeepClone();
        var path = place.Split('/')[1..];
        JsonNode parent = copy;
        foreach (var step in path[..^1]) parent = (parent is JsonArray items ? items[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)] : parent[step])!;
        if (changed is null) Assert.True(parent.AsObject().Remove(path[^1]));
        else parent.AsObject()[path[^1]] = JsonNode.Parse(changed);
        return copy;
    }
}
