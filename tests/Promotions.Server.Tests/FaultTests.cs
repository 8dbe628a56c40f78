using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Promotions.Server.Tests;

/// <summary>What must hold when a process dies between any two steps, or when many want the same thing at once.</summary>
[Trait("kind", "faults")]
public class FaultTests
{
    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("PROMOTIONS_FAULT_ROUNDS") ?? "8", CultureInfo.InvariantCulture);

    /// <summary>The points at which the path of a redemption can be cut, in its order; the nth passing is the one that kills.</summary>
    public static TheoryData<string> CrashPoints =>
    [
        "after_accept:15", "after_process:9", "before_commit:9", "after_commit:9", "before_answer:9",
        "before_checkpoint:2", "in_checkpoint:2", "after_checkpoint:2",
    ];

    [Theory]
    [MemberData(nameof(CrashPoints))]
    public async Task Every_acknowledged_redemption_is_there_exactly_once_after_a_kill(string crashAt)
    {
        var data = Directory.CreateTempSubdirectory("promotions-crash-").FullName;
        try
        {
            var acknowledged = new Dictionary<string, string>();
            var environment = new Dictionary<string, string> { ["PROMOTIONS_CHECKPOINT_MS"] = "100" };
            await using (var server = await RunningServer.StartAsync(data, crashAt, environment))
            {
                await TestShop.OpenAsync(server);
                for (var i = 0; i < 400; i++)
                {
                    try
                    {
                        var (status, body, _) = await server.SendAsync(HttpMethod.Post, "/v1/redemptions", TestShop.Redemption($"r-{i}", $"c-{i % 7}", "public-ten"));
                        Assert.Equal(HttpStatusCode.OK, status);
                        acknowledged.Add($"r-{i}", body!.ToJsonString());
                    }
                    catch (Exception fault) when (fault is HttpRequestException or SocketException)
                    {
                        break;      // killed
                    }
                }

                await server.WaitForExitAsync(TimeSpan.FromSeconds(20));
            }

            Assert.NotEmpty(acknowledged);
            await using var again = await RunningServer.StartAsync(data);
            foreach (var (id, answer) in acknowledged)
            {
                var (status, body, _) = await again.SendAsync(HttpMethod.Get, $"/v1/redemptions/{id}");
                Assert.Equal(HttpStatusCode.OK, status);
                Assert.True(JsonNode.DeepEquals(JsonNode.Parse(answer), body), $"{id} was answered\n{answer}\nand is now\n{body}");
                var repeated = await again.SendAsync(HttpMethod.Post, "/v1/redemptions", TestShop.Redemption(id, $"c-{int.Parse(id[2..], CultureInfo.InvariantCulture) % 7}", "public-ten"));
                Assert.True(JsonNode.DeepEquals(body, repeated.Body), $"{id} sent again is answered {repeated.Body}");
            }

            var (_, usage, _) = await again.SendAsync(HttpMethod.Get, "/v1/campaigns/public-ten", key: "admin");
            Assert.NotNull(usage);
            Assert.Equal(0, await again.StopAsync());
            await TestShop.AssertVerifiedAsync(data);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task Of_thirty_parallel_redemptions_of_a_single_use_coupon_exactly_one_wins()
    {
        await using var server = await RunningServer.StartAsync();
        await TestShop.OpenAsync(server);
        for (var round = 0; round < Rounds; round++)
        {
            var code = await TestShop.AddSingleUseCodeAsync(server, round);
            var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i =>
                server.SendAsync(HttpMethod.Post, "/v1/redemptions", TestShop.Redemption($"race-{round}-{i}", $"racer-{round}-{i}", code, device: $"d-{round}-{i}", ip: $"198.51.{round % 250}.{i + 1}"))));
            Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.Status));
            var wins = answers.Count(a => a.Body!["status"]!.GetValue<string>() is "approved" or "review");
            Assert.True(wins == 1, $"round {round}: {wins} won; {string.Join(", ", answers.GroupBy(a => a.Body!["status"] + " " + a.Body["reason_code"]).Select(g => $"{g.Key}: {g.Count()}"))}");
        }

        Assert.Equal(0, await server.StopAsync());
        await TestShop.AssertVerifiedAsync(server.Data);
    }
}
