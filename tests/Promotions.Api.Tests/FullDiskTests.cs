using Promotions.Ledger.Sqlite.Tests.Disk;

namespace Promotions.Api.Tests;

/// <summary>A ledger that cannot grow refuses cleanly and goes on when there is room.</summary>
public class FullDiskTests
{
    private const int AttemptsMax = 2_000;

    [Fact]
    public async Task A_full_disk_is_a_clear_problem_books_nothing_and_ends_when_there_is_room()
    {
        var disk = new SimulatedDisk();
        using var vfs = new DiskVfs(disk);
        await using var host = await ApiHost.StartAsync(vfs: vfs.Name);
        await host.ExpectAsync(201, "POST", "/v1/campaigns", """
            {"id":"ten","name":"Ten","distribution":"public","currency":"EUR","benefit":{"type":"percent_off","basis_points":1000}}
            """);
        await RedeemAsync(host, 0, 200);

        disk.Room = 60_000;
        var approved = 1;
        Answer? refused = null;
        while (refused is null && approved < AttemptsMax)
        {
            var answer = await host.SendAsync("POST", "/v1/redemptions", Redemption(approved));
            if ((int)answer.Status == 200) approved++;
            else refused = answer;
        }

        Assert.NotNull(refused);
        Assert.Equal((507, "out_of_room", "application/problem+json"), ((int)refused.Status, refused.Code, refused.MediaType));
        Assert.Equal("30", refused.Header("Retry-After"));
        Assert.DoesNotContain("SQLite", refused.Text, StringComparison.OrdinalIgnoreCase);

        // Nothing of it is there, what was answered is; writing of other kinds is refused in the same words once it does not fit, and reading goes on.
        Assert.Equal("unknown_redemption", (await host.ExpectAsync(404, "GET", $"/v1/redemptions/r-{approved}", key: "checkout")).Code);
        await AssertUsedAsync(host, approved);
        var deposits = await FillAsync(host, "admin", "/v1/customers/c-2/deposits", i => $$$"""{"id":"d-{{{i}}}","amount":{"amount":5,"currency":"EUR"}}""");
        await FillAsync(host, "checkout", "/v1/engagements", i => $$"""{"id":"e-{{i}}","channel":"web-de","customer_id":"c-1","type":"visit"}""");
        Assert.Equal("out_of_room", (await RedeemAsync(host, approved, 507)).Code);
        Assert.Equal("true", (await RedeemAsync(host, 0, 200)).Header("Idempotency-Hit"));

        disk.Room = null;
        Assert.Null((await RedeemAsync(host, approved, 200)).Header("Idempotency-Hit"));
        await AssertUsedAsync(host, approved + 1);
        var balance = (await host.ExpectAsync(200, "GET", "/v1/customers/c-2/balances")).Json["balances"]!.AsArray();
        Assert.Equal(5L * deposits, balance.Sum(one => one!["available"]!["amount"]!.GetValue<long>()));
        await host.ExpectAsync(200, "GET", "/readyz", key: null);
        Assert.Empty(Ledger.Sqlite.Verification.LedgerVerifier.Verify(Path.Combine(host.Folder, "ledger.db"), cancellationToken: TestContext.Current.CancellationToken).Findings);
    }

    /// <summary>What is smaller than a redemption may still fit: so many are taken before the first is refused.</summary>
    private static async Task<int> FillAsync(ApiHost host, string key, string path, Func<int, string> body)
    {
        for (var i = 0; i < AttemptsMax; i++)
        {
            var answer = await host.SendAsync("POST", path, body(i), key);
            if ((int)answer.Status == 200) continue;
            Assert.Equal((507, "out_of_room"), ((int)answer.Status, answer.Code));
            return i;
        }
        Assert.Fail("It never filled.");
        return 0;
    }

    private static async Task AssertUsedAsync(ApiHost host, int uses)
    {
        var usage = (await host.ExpectAsync(200, "GET", "/v1/campaigns/ten")).Json["usage"]!;
        Assert.Equal((uses, 300L * uses), (usage["uses_held"]!.GetValue<int>(), usage["discount_held"]!["amount"]!.GetValue<long>()));
    }

    private static Task<Answer> RedeemAsync(ApiHost host, int number, int status) => host.ExpectAsync(status, "POST", "/v1/redemptions", Redemption(number), "checkout");

    private static string Redemption(int number) => $$"""
        {"id": "r-{{number}}", "channel": "web-de", "customer": {"id": "c-1"},
         "order": {"id": "o-{{number}}", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 2, "unit_price": {"amount": 1500, "currency": "EUR"} }]},
         "redeemables": [{"type": "coupon", "code": "ten"}]}
        """;
}
