using System.Diagnostics;
using System.Text;
using Promotions.Kafka.Cluster;

namespace Promotions.Streams.Kafka.Tests;

internal static class Eventually
{
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(90);

    /// <summary>Waits for a condition that must come about; fails with a sentence where it does not.</summary>
    public static async Task HoldsAsync(Func<Task<bool>> condition, Func<string> otherwise, TimeSpan? within = null)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > (within ?? Long)) Assert.Fail(otherwise());
            await Task.Delay(25);
        }
    }

    /// <summary>Waits until every id has an answer in the output topic, then checks that each is the oracle's, however often it came.</summary>
    public static async Task AnswersAreAsync(KafkaCluster kafka, string topic, IReadOnlyDictionary<string, string> expected, Func<string>? said = null)
    {
        var found = new Dictionary<string, HashSet<string>>();
        await HoldsAsync(
            async () =>
            {
                if ((await kafka.EndOffsetsAsync(topic)).Values.Sum() < expected.Count) return false;
                found.Clear();
                foreach (var record in await kafka.ReadAllAsync(topic))
                {
                    var id = Encoding.UTF8.GetString(record.Message.Key);
                    if (!found.TryGetValue(id, out var answers)) found.Add(id, answers = []);
                    answers.Add(Encoding.UTF8.GetString(record.Message.Value));
                }

                return found.Count >= expected.Count;
            },
            () => $"{found.Count} of {expected.Count} requests are answered. {said?.Invoke()}");
        foreach (var (id, answer) in expected) Assert.Equal(answer, Assert.Single(found[id]));
        Assert.Equal(expected.Count, found.Count);
    }
}
