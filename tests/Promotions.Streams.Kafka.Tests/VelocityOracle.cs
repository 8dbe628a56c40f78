using System.Globalization;
using System.Text;
using Confluent.Kafka;

namespace Promotions.Streams.Kafka.Tests;

/// <summary>The velocity topology's work in the plainest way: every event kept in a list, every window counted anew.</summary>
internal static class VelocityOracle
{
    private const long HourMs = 3_600_000;
    private static readonly string[] Kinds = ["customer", "device", "ip", "coupon"];

    public sealed record Event(string Id, string[] Entities, int Amount, long At);

    /// <summary>Skewed customers, a hot coupon, times that mostly go on and now and then go back.</summary>
    public static List<Event> Events(int count, int seed, int customers = 200, bool late = true)
    {
        var random = new Random(seed);
        var events = new List<Event>(count);
        for (var i = 0; i < count; i++)
        {
            var customer = (int)(customers * Math.Pow(random.NextDouble(), 1.5));
            var at = 1_767_225_600_000 + (i * 20_000L) - (late && random.Next(10) == 0 ? random.Next(90) * 60_000 : 0);
            events.Add(new($"r{i}", [$"c{customer}", $"d{random.Next(customers)}", $"10.0.0.{customer / 2}", random.Next(3) == 0 ? "SAVE-0" : $"SAVE-{random.Next(50)}"], 500 + random.Next(20_000), at));
        }

        return events;
    }

    public static Message<byte[], byte[]> ToMessage(Event e)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(e.At).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        var json = $$"""{"id":"{{e.Id}}","channel":"web-de","customer":{"id":"{{e.Entities[0]}}"},"order":{"id":"o","currency":"EUR","items":[{"sku":"s","quantity":1,"unit_price":{{e.Amount}}}]},"redeemables":[{"type":"coupon","code":"{{e.Entities[3]}}"}],"context":{"device_id":"{{e.Entities[1]}}","ip":"{{e.Entities[2]}}"},"occurred_at":"{{at}}"}""";
        return new() { Key = Encoding.UTF8.GetBytes(e.Entities[0]), Value = Encoding.UTF8.GetBytes(json), Timestamp = new(e.At, TimestampType.CreateTime) };
    }

    /// <summary>By id, where the events come in this order.</summary>
    public static Dictionary<string, string> Answers(IReadOnlyList<Event> events)
    {
        var answers = new Dictionary<string, string>();
        var seen = new Dictionary<string, List<Event>>();
        foreach (var e in events)
        {
            var text = new StringBuilder($"{{\"id\":\"{e.Id}\"");
            for (var k = 0; k < Kinds.Length; k++)
            {
                var entity = $"{Kinds[k]}:{e.Entities[k]}";
                if (!seen.TryGetValue(entity, out var list)) seen.Add(entity, list = []);
                if (!list.Any(x => x.Id == e.Id && x.At == e.At)) list.Add(e);
                var day = list.Where(x => x.At > e.At - (24 * HourMs) && x.At <= e.At).ToList();
                text.Append(CultureInfo.InvariantCulture, $",\"{Kinds[k]}\":[{day.Count(x => x.At > e.At - HourMs)},{day.Count},{day.Sum(x => (long)x.Amount)}]");
            }

            answers[e.Id] = text.Append('}').ToString();
        }

        return answers;
    }
}
