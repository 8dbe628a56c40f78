using System.Net;
using System.Text.Json.Nodes;
using Promotions.Contracts.Schemas;
using Promotions.Contracts.Tests.Schemas;

namespace Promotions.Api.Tests;

/// <summary>The event schemas as the API publishes them, and its own answers held against them.</summary>
public class SchemaTests
{
    [Fact]
    public async Task Every_schema_is_listed_public_and_cached()
    {
        await using var host = await ApiHost.StartAsync();
        var list = (await host.ExpectAsync(200, "GET", "/schemas/v1", key: null)).Json["schemas"]!.AsArray();
        Assert.Equal(EventSchemas.All.Count, list.Count);
        foreach (var listed in list)
        {
            var path = (string)listed!["path"]!;
            var answer = await host.ExpectAsync(200, "GET", path, key: null);
            Assert.Equal("application/schema+json", answer.MediaType);
            Assert.Equal(path, (string?)answer.Json["$id"]);
            Assert.Equal((string?)listed["topic"], (string?)answer.Json["x-topic"]);
            Assert.Contains("max-age", answer.Header("Cache-Control"), StringComparison.Ordinal);
            var known = answer.Header("ETag")!;
            foreach (var (given, status) in ((string, HttpStatusCode)[])
                [(known, HttpStatusCode.NotModified), ("W/" + known, HttpStatusCode.NotModified), ("\"other\", " + known, HttpStatusCode.NotModified), ("*", HttpStatusCode.NotModified), ("\"other\"", HttpStatusCode.OK)])
            {
                var again = await host.SendAsync("GET", path, key: null, change: request => request.Headers.TryAddWithoutValidation("If-None-Match", given));
                Assert.Equal(status, again.Status);
                Assert.Equal(status is HttpStatusCode.NotModified, again.Text.Length == 0);
            }
        }
        Assert.Equal("not_found", (await host.ExpectAsync(404, "GET", "/schemas/v1/nothing.json", key: null)).Code);
        Assert.Equal("not_authenticated", (await host.ExpectAsync(401, "GET", "/schemas/v2/orders.json", key: null)).Code);
    }

    [Fact]
    public async Task Answers_and_problems_are_decisions_as_the_schema_says()
    {
        await using var host = await ApiHost.StartAsync();
        foreach (var operation in Endpoints.ApiTable.All.TakeWhile(one => one.Id != "redeem"))
            foreach (var example in operation.Examples)
                await host.SendAsync(operation.Method, example.Path, example.Body, operation.Access == Http.Access.Checkout ? "checkout" : "admin");
        var schema = JsonNode.Parse((await host.ExpectAsync(200, "GET", "/schemas/v1/redemption-decisions.json", key: null)).Text)!.AsObject();
        var statuses = new HashSet<string>();
        foreach (var (id, code, points) in ((string, string, long)[])[("r-1", "SUMMER10", 0), ("r-2", "unknown", 0), ("r-3", "", 7)])
        {
            var redeemable = code.Length > 0 ? $$"""{"type": "coupon", "code": "{{code}}"}""" : $$"""{"type": "points", "amount": {{points}}}""";
            var answer = await host.ExpectAsync(200, "POST", "/v1/redemptions", $$$"""
                {"id": "{{{id}}}", "channel": "web-de", "customer": {"id": "c-9"},
                 "order": {"id": "o-9", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 3, "unit_price": {"amount": 1500, "currency": "EUR"}}]},
                 "redeemables": [{{{redeemable}}}]}
                """, "checkout");
            Assert.Null(SchemaCheck.FirstError(schema, answer.Json));
            statuses.Add((string)answer.Json["status"]!);
        }
        Assert.Equal(["approved", "rejected"], statuses.Order());

        var problem = (await host.ExpectAsync(422, "POST", "/v1/redemptions", """
            {"id": "r-1", "channel": "web-de", "customer": {"id": "c-9"},
             "order": {"id": "o-other", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 1, "unit_price": {"amount": 1, "currency": "EUR"}}]}}
            """, "checkout")).Json;
        problem["id"] = "r-1";
        Assert.Null(SchemaCheck.FirstError(schema, problem));
        problem["status"] = "approved";
        Assert.NotNull(SchemaCheck.FirstError(schema, problem));
    }
}
