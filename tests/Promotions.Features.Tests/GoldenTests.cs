using System.IO.Hashing;
using System.Runtime.InteropServices;
using Promotions.Domain;

namespace Promotions.Features.Tests;

/// <summary>Vectors of seeded histories as the first implementation gave them: trees of arrays, recorded before state moved into one array per entity.</summary>
/// <remarks>The plain definition says what is right within grace. This says that nothing else moved either: records later than grace, sets beyond their
/// bound, more ids than are kept.</remarks>
public class GoldenTests
{
    [Theory]
    [InlineData(EntityKind.Customer, "f28daae6865ffa2b")]
    [InlineData(EntityKind.Device, "4f0376f6ec7bc47c")]
    [InlineData(EntityKind.Ip, "ba8429f643ad5885")]
    [InlineData(EntityKind.Network, "8284954f46ab729e")]
    [InlineData(EntityKind.Coupon, "44c597c9fc28712d")]
    [InlineData(EntityKind.PaymentToken, "e8fb440d104a880d")]
    [InlineData(EntityKind.Address, "e8fb440d104a880d")]
    public void Small_entities_have_the_vectors_of_old(EntityKind kind, string expected)
    {
        var hash = new XxHash64();
        for (var seed = 1; seed <= 8; seed++) Run(kind, hash, Histories.Make(seed, 600, seed * 3));
        Assert.Equal(expected, Text(hash));
    }

    [Theory]
    [InlineData(EntityKind.Customer, "b161b3b82c43904d")]
    [InlineData(EntityKind.Device, "9fa37e632d982720")]
    [InlineData(EntityKind.Coupon, "ebb531b0fba72d00")]
    public void Hot_entities_have_the_vectors_of_old(EntityKind kind, string expected)
    {
        var hash = new XxHash64();
        Run(kind, hash, Hot(31));
        Assert.Equal(expected, Text(hash));
    }

    /// <summary>Came after the numbers here were written down.</summary>
    private static bool IsLater(FeatureDefinition feature) => feature.Name is "customer_travel" or "payment_token_amount_30d" or "address_amount_30d";

    private static string Text(XxHash64 hash) => hash.GetCurrentHashAsUInt64().ToString("x16", System.Globalization.CultureInfo.InvariantCulture);

    private static void Run(EntityKind kind, XxHash64 hash, IEnumerable<(Observation? Attempt, Feedback? Feedback)> history)
    {
        var key = EntityKey.Of(kind, "x");
        var store = new TileMemory();
        var state = EntityState.Load(key, store);
        var part = new float[FeatureRegistry.Block(kind).Length];
        var step = 0;
        foreach (var (attempt, feedback) in history)
        {
            if (feedback is { } f) state.Apply(f);
            if (attempt is { } o)
            {
                state.Observe(o, part);
                foreach (var feature in FeatureRegistry.Features)
                    if (feature.Entity == kind && !IsLater(feature)) hash.Append(MemoryMarshal.AsBytes(part.AsSpan(feature.Index - FeatureRegistry.Block(kind).Offset, 1)));
            }
            if (++step % 997 != 0) continue;
            state.WriteDirty(store);
            if (step % 2 == 0) state = EntityState.Load(key, store);
            else state.Release();
        }
    }

    /// <summary>Bursts beyond every bound, with disorder, duplicates and records far later than grace, and silences of hours and days between.</summary>
    private static IEnumerable<(Observation?, Feedback?)> Hot(int seed)
    {
        var random = new Random(seed);
        var now = Histories.Start;
        long[] silences = [0, Windows.OneHour, Windows.OneDay, Windows.SevenDays + Windows.OneHour, 25 * Windows.OneDay, Windows.OneMinute];
        for (var burst = 0; burst < silences.Length; burst++)
        {
            now += silences[burst];
            var others = burst % 2 == 0 ? 300 : 2000;
            var (length, pace) = burst == 1 ? (24_000, 40) : (9_000, 4_000); // the quick one has more ids within grace than are kept
            for (var i = 0; i < length; i++)
            {
                now += random.Next(pace);
                var at = random.Next(40) switch
                {
                    0 => now - random.NextInt64(Windows.SevenDays),
                    1 => now - random.NextInt64(Windows.ThirtyDays + Windows.OneDay),
                    < 12 => now - random.NextInt64(Windows.Grace),
                    _ => now,
                };
                var id = (ulong)(burst * 30_000 + (random.Next(8) == 0 ? random.Next(i + 1) : i) + 1);
                if (random.Next(10) == 0)
                    yield return (null, new Feedback((FeedbackType)random.Next(1, 5), new EventTime(at), random.Next(3) > 0, random.Next(2) == 0, random.Next(2) == 0, random.Next(10_000), new([Other()])));
                else
                    yield return (new Observation(new EventTime(at), id, random.Next(100_000), Other(), Other(), Other(), new([Other(), Other() + 5000])), null);
            }

            ulong Other() => (ulong)random.Next(1, others);
        }
    }
}
