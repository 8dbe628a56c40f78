using System.Text.Json.Nodes;
using Promotions.Api.Endpoints;
using Promotions.Api.Http;
using Promotions.Api.Problems;

namespace Promotions.Api.Tests;

/// <summary>The OpenAPI document is complete and tells the truth.</summary>
public class ExampleTests
{
    [Fact]
    public async Task Every_example_of_the_document_works_in_its_order()
    {
        await using var host = await ApiHost.StartAsync();
        foreach (var operation in ApiTable.All)
            foreach (var example in operation.Examples)
            {
                var key = operation.Access == Access.Checkout ? "checkout" : operation.Access.IsPublic ? null : "admin";
                await host.ExpectAsync(example.Status, operation.Method, example.Path, example.Body, key);
            }

        var redemption = (await host.ExpectAsync(200, "GET", "/v1/redemptions/r-1001", key: "checkout")).Json;
        Assert.Equal("approved", redemption["status"]!.GetValue<string>());
        Assert.Equal(485, redemption["order"]!["discount"]!["amount"]!.GetValue<long>());     // 10 % of 48.48, rounded
        Assert.Equal("captured", redemption["hold"]!["state"]!.GetValue<string>());
        var voided = (await host.ExpectAsync(200, "GET", "/v1/redemptions/r-1002", key: "checkout")).Json;
        Assert.Equal("voided", voided["hold"]!["state"]!.GetValue<string>());
    }

    [Fact]
    public async Task Every_route_is_described_with_schemas_examples_and_problems()
    {
        await using var host = await ApiHost.StartAsync();
        var document = (await host.ExpectAsync(200, "GET", "/openapi/v1.json", key: null)).Json;
        var schemas = document["components"]!["schemas"]!.AsObject();
        foreach (var endpoint in host.Endpoints)
        {
            var operation = endpoint.Metadata.GetMetadata<ApiOperation>()!;
            if (operation.Path.EndsWith("{**rest}", StringComparison.Ordinal)) continue;
            var described = document["paths"]![operation.Path]![operation.Method.ToLowerInvariant()]!;
            Assert.NotEmpty(described["x-examples"]!.AsArray());
            foreach (var answer in operation.Answers) Assert.NotNull(described["responses"]![answer.Status.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            foreach (var kind in operation.Problems)
                Assert.NotNull(described["responses"]![ProblemKinds.Describe(kind).Status.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            if (operation.Request is null) continue;
            Assert.NotEmpty(described["requestBody"]!["content"]!["application/json"]!["examples"]!.AsObject());
        }

        var references = 0;
        Walk(document, node =>
        {
            if (node["$ref"]?.GetValue<string>() is not { } reference || !reference.StartsWith("#/components/schemas/", StringComparison.Ordinal)) return;
            references++;
            Assert.True(schemas.ContainsKey(reference["#/components/schemas/".Length..]), reference);
        });
        Assert.True(references > 50);
        var redemption = schemas["RedemptionBody"]!;
        Assert.False(redemption["additionalProperties"]!.GetValue<bool>());
        Assert.Equal(["channel", "customer", "order"], redemption["required"]!.AsArray().Select(name => name!.GetValue<string>()).Order());
        Assert.Equal(3, redemption["properties"]!["redeemables"]!["items"]!["properties"]!["amount"]!["oneOf"]!.AsArray().Count);
    }

    private static void Walk(JsonNode? node, Action<JsonObject> visit)
    {
        if (node is JsonObject value)
        {
            visit(value);
            foreach (var (_, child) in value) Walk(child, visit);
        }
        else if (node is JsonArray items)
            foreach (var item in items) Walk(item, visit);
    }
}
