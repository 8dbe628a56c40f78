using System.Diagnostics;
using System.Net;

namespace Promotions.Server.Tests;

/// <summary>A small shop set up over HTTP, as an integrator would.</summary>
internal static class TestShop
{
    public static async Task OpenAsync(RunningServer server)
    {
        await ExpectAsync(server, "/v1/campaigns", """
            {"id":"public-ten","name":"Ten off","distribution":"public","currency":"EUR","benefit":{"type":"percent_off","basis_points":1000}}
            """);
        await ExpectAsync(server, "/v1/campaigns", """
            {"id":"single","name":"Single use","distribution":"code_based","currency":"EUR","benefit":{"type":"amount_off","amount":{"amount":500,"currency":"EUR"}}}
            """);
    }

    public static async Task<string> AddSingleUseCodeAsync(RunningServer server, int round)
    {
        var (status, body, _) = await server.SendAsync(HttpMethod.Post, "/v1/campaigns/single/codes", $$"""{"id":"codes-{{round}}","count":1,"uses_max":1}""", "admin");
        Assert.True((int)status is >= 200 and < 300, body?.ToJsonString());
        return body!["codes"]![0]!.GetValue<string>();
    }

    public static string Redemption(string id, string customer, string code, string device = "d-1", string ip = "203.0.113.9") => $$"""
        {"id":"{{id}}","channel":"web-de","customer":{"id":"{{customer}}"},
         "order":{"id":"o-{{id}}","currency":"EUR","items":[{"line":"1","sku":"mug","category":"kitchen","quantity":2,"unit_price":{"amount":1500,"currency":"EUR"} }]},
         "redeemables":[{"type":"coupon","code":"{{code}}"}],
         "context":{"device_id":"{{device}}","ip":"{{ip}}"} }
        """;

    /// <summary>Runs <c>promotions verify</c> on a stopped system's folder: it exits 0 only when every invariant holds.</summary>
    public static async Task AssertVerifiedAsync(string data)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "promotions.dll"));
        start.ArgumentList.Add("verify");
        start.Environment["PROMOTIONS_DATA"] = data;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await output + errors);
    }

    private static async Task ExpectAsync(RunningServer server, string path, string json)
    {
        var (status, body, _) = await server.SendAsync(HttpMethod.Post, path, json, "admin");
        Assert.True(status is HttpStatusCode.Created or HttpStatusCode.OK, body?.ToJsonString());
    }
}
