using System.Globalization;
using System.Text;
using Promotions.Domain;
using Promotions.Streams.State;
using Promotions.Velocity;

namespace Promotions.Streams.Tests;

/// <summary>The topology that the Kafka driver is measured with, against a list that is searched from end to end.</summary>
public class VelocityTopologyTests
{
    private const long Hour = 3_600_000;
    private static readonly EventTime Start = EventTime.From(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void Counts_and_sums_are_those_of_a_list_also_for_a_hot_code_records_out_of_order_and_repeats(int seed, bool hopsAreBytes)
    {
        var random = new Random(seed);
        using var driver = new TopologyDriver(VelocityTopology.Build("in", "out", cacheBytes: 64 << 10), hopsAreBytes: hopsAreBytes);
        var seen = new List<(string[] Names, long At, long Amount, string Id)>();
        var now = Start.UnixMilliseconds;
        for (var i = 0; i < 4_000; i++)
        {
            now += i % 500 == 499 ? 5 * Hour : random.Next(60_000);
            var at = random.Next(10) == 0 ? now - random.Next(2_000_000) : now;
            var amount = random.Next(500, 20_000);
            string[] names = [$"c{random.Next(50)}", $"d{random.Next(50)}", $"i{random.Next(20)}", random.Next(3) > 0 ? "HOT" : $"CODE{random.Next(9)}"];
            var id = $"r{i}";
            if (seen.Count > 0 && random.Next(20) == 0 && seen[random.Next(Math.Max(0, seen.Count - 100), seen.Count)] is var repeat && repeat.At > now - Hour) (names, at, amount, id) = Again(repeat);
            if (!seen.Exists(e => e.Id == id)) seen.Add((names, at, amount, id));

            driver.Pipe("in", Body(id, names, amount, at), new(now));
            var output = Assert.Single(driver.TakeOutputs());

            Assert.Equal(id, output.Key);
            Assert.Equal(Expected(id, names, at, seen), Encoding.UTF8.GetString(output.Encode()));
        }
    }

    [Fact]
    public void What_is_kept_is_small_values_however_hot_the_code_is()
    {
        using var backend = new InMemoryBackend();
        using var driver = new TopologyDriver(VelocityTopology.Build("in", "out", cacheBytes: 64 << 10), backend: backend);
        for (var i = 0; i < 30_000; i++)
        {
            driver.Pipe("in", Body($"r{i}", [$"c{i}", $"d{i}", "ip", "HOT"], 1, Start.UnixMilliseconds + (i * 250L)), new(Start.UnixMilliseconds + (i * 250L)));
            driver.ClearOutputs();
        }

        var (values, largest) = (0, 0);
        backend.Scan([1], int.MaxValue, (_, value) => (values, largest) = (values + 1, Math.Max(largest, value.Length)));
        Assert.True(values > 30_000, $"{values} values");
        Assert.InRange(largest, 1_000, IStateBackend.ValueBytesMax);
        Assert.Empty(driver.DeadLetters);
    }

    [Fact]
    public void A_body_that_is_no_request_is_a_dead_letter()
    {
        using var driver = new TopologyDriver(VelocityTopology.Build("in", "out"));
        foreach (var body in (string[])["no json", "{}", """{"id":"r","customer":{"id":"c"},"context":{"device_id":"d","ip":"i"},"redeemables":[{"code":"X"}],"occurred_at":"soon"}"""])
            driver.Pipe("in", Encoding.UTF8.GetBytes(body), Start);
        Assert.Equal(3, driver.DeadLetters.Count);
        Assert.Empty(driver.Outputs);
    }

    private static (string[] Names, long At, int Amount, string Id) Again((string[] Names, long At, long Amount, string Id) e) => (e.Names, e.At, (int)e.Amount, e.Id);

    private static byte[] Body(string id, string[] names, long amount, long at) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
        $$"""{"id":"{{id}}","channel":"web-de","customer":{"id":"{{names[0]}}"},"order":{"id":"o","currency":"EUR","items":[{"sku":"s","quantity":1,"unit_price":{{amount}}}],"shipping":0},"redeemables":[{"type":"coupon","code":"{{names[3]}}"}],"context":{"device_id":"{{names[1]}}","ip":"{{names[2]}}","payment_token":"p"},"occurred_at":"{{new EventTime(at)}}"}"""));

    private static string Expected(string id, string[] names, long at, List<(string[] Names, long At, long Amount, string Id)> seen)
    {
        string Of(int kind)
        {
            var day = seen.Where(e => e.Names[kind] == names[kind] && e.At <= at && e.At > at - (24 * Hour)).ToList();
            return string.Create(CultureInfo.InvariantCulture, $"[{day.Count(e => e.At > at - Hour)},{day.Count},{day.Sum(e => e.Amount)}]");
        }

        return $$"""{"id":"{{id}}","customer":{{Of(0)}},"device":{{Of(1)}},"ip":{{Of(2)}},"coupon":{{Of(3)}}}""";
    }
}
