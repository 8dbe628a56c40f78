namespace Promotions.Api.Tests;

/// <summary>A return is about an order: what does not fit it is refused by name, and nothing is recorded.</summary>
public sealed class ReturnTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync();
        await _host.ExpectAsync(200, "POST", "/v1/orders", """
            {"channel":"web-de","customer":{"id":"anna"},"order":{"id":"o-1","currency":"EUR","items":[{"line":"1","sku":"mug","quantity":1,"unit_price":{"amount":3000,"currency":"EUR"}}]},
             "total":{"amount":3000,"currency":"EUR"}}
            """, "checkout");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task An_unknown_order_has_no_return() =>
        Assert.Equal("unknown_order", (await ReturnAsync(404, "ret-1", "anna", 100, order: "o-2")).Code);

    [Theory]
    [InlineData("bert", "EUR", "/customer_id", "not_the_orders")]
    [InlineData("anna", "USD", "/amount/currency", "currency_mismatch")]
    public async Task Another_customer_or_currency_is_told_by_pointer(string customer, string currency, string place, string code)
    {
        var error = Assert.Single((await ReturnAsync(400, "ret-1", customer, 100, currency)).Json["errors"]!.AsArray())!;
        Assert.Equal((place, code), (error["pointer"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
        await ReturnAsync(200, "ret-1", "anna", 100);       // the refused one took neither the id nor the money
    }

    [Fact]
    public async Task Returns_together_never_exceed_the_order_and_the_same_one_again_is_one()
    {
        await ReturnAsync(200, "ret-1", "anna", 2_000);
        var refused = await ReturnAsync(409, "ret-2", "anna", 1_001);
        Assert.Equal("return_exceeds_order", refused.Code);
        Assert.Equal("1000 of 3000 minor units of EUR were left when it came.", refused.Json["detail"]!.GetValue<string>());
        await ReturnAsync(200, "ret-3", "anna", 1_000);
        Assert.Equal("true", (await ReturnAsync(200, "ret-1", "anna", 2_000)).Header("Idempotency-Hit"));      // although nothing is left now
        Assert.Equal((3_000, 3_000), (_host.Ledger.FindOrder("o-1")!.Total, _host.Ledger.FindOrder("o-1")!.Returned));
    }

    private Task<Answer> ReturnAsync(int status, string id, string customer, long amount, string currency = "EUR", string order = "o-1") =>
        _host.ExpectAsync(status, "POST", $"/v1/orders/{order}/returns", $$"""{"id":"{{id}}","customer_id":"{{customer}}","amount":{"amount":{{amount}},"currency":"{{currency}}"} }""", "checkout");
}
