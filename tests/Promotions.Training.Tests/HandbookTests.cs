using System.IO.Compression;
using System.Text;
using Promotions.Benchmarks.Handbook;

namespace Promotions.Training.Tests;

public class HandbookTests
{
    [Fact]
    public void The_first_split_has_the_published_counts()
    {
        if (HandbookFile.Find() is not { } path)
        {
            if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail("The data set fraud-handbook is missing; set PROMOTIONS_DATA_SETS.");
            Assert.Skip("The data set fraud-handbook is not here; set PROMOTIONS_DATA_SETS.");
            return;
        }
        using var file = File.OpenRead(path);
        var transactions = HandbookFile.Read(file);
        var (train, test) = HandbookFold.Test[0].Split(transactions);
        Assert.Equal((1_754_155, 14_681), (transactions.Count, transactions.Count(t => t.Fraud)));
        Assert.Equal((67_240, 598), (train.Count, train.Count(i => transactions[i].Fraud)));
        Assert.Equal((58_264, 385), (test.Count, test.Count(i => transactions[i].Fraud)));
    }

    [Fact]
    public void A_known_customer_leaves_the_test_week_eight_days_after_the_fraud()
    {
        // Training week: days 0 to 6; test week: days 14 to 20.
        HandbookTransaction[] rows = [On(3, 1, true), On(7, 2, true), On(13, 3, true), On(14, 1), On(14, 2), On(14, 3), On(15, 2), On(15, 4), On(20, 3), On(21, 4)];
        var (train, test) = new HandbookFold(0).Split(rows);
        Assert.Equal([0], train);
        Assert.Equal([4, 5, 7, 8], test);       // 1 was defrauded in training; 2's fraud of day 7 is known on day 15; 3's of day 13 is not within the week
    }

    [Fact]
    public void Windows_and_delayed_labels_equal_a_plain_count()
    {
        var random = new Random(12);
        var rows = new List<HandbookTransaction>();
        for (long second = 0; second < 60 * 86_400; second += random.Next(1, 4000))
            rows.Add(new(HandbookFile.Start.Plus(TimeSpan.FromSeconds(second)), (int)(second / 86_400), random.Next(6), random.Next(5), random.Next(1, 30_000), random.Next(4) == 0));
        var delay = TimeSpan.FromDays(7);
        var vectors = HandbookFeatures.Compute(rows, delay, fromDay: 40);

        for (var i = 0; i < rows.Count; i++)
        {
            var now = rows[i];
            Assert.Equal(now.Day >= 40, vectors[i] is not null);
            if (vectors[i] is not { } vector) continue;
            foreach (var days in new[] { 1, 7, 30 })
            {
                var own = rows.Take(i + 1).Where(r => r.Customer == now.Customer && r.At > now.At.Plus(-TimeSpan.FromDays(days))).ToList();
                Assert.Equal(own.Count, Of($"customer_transactions_{days}d"));
                Assert.Equal((float)own.Sum(r => r.Cents), Of($"customer_spend_{days}d"));
                var visible = rows.Take(i).Where(r => r.Terminal == now.Terminal && r.At.Plus(delay) <= now.At && r.At.Plus(delay) > now.At.Plus(-TimeSpan.FromDays(days))).ToList();
                Assert.Equal(visible.Count, Of($"terminal_labels_{days}d"));
                Assert.Equal(visible.Count(r => r.Fraud), Of($"terminal_frauds_{days}d"));
            }

            float Of(string name) => vector[Array.IndexOf(HandbookFeatures.Names, name)];
        }
    }

    [Fact]
    public void A_file_with_a_broken_line_is_refused_by_its_text()
    {
        const string Head = "tx_id,tx_time_seconds,tx_day,customer_id,terminal_id,amount,fraud,scenario\n";
        var read = HandbookFile.Read(Packed(Head + "0,31,0,596,3156,57.16,0,0\n1,86400,1,2,3,8,1,2\n"));
        Assert.Equal((5716, 800, true), (read[0].Cents, read[1].Cents, read[1].Fraud));
        Assert.Contains("7,30", Assert.Throws<InvalidDataException>(() => HandbookFile.Read(Packed(Head + "7,30,0\n"))).Message, StringComparison.Ordinal);
        Assert.Contains("earlier", Assert.Throws<InvalidDataException>(() => HandbookFile.Read(Packed(Head + "0,31,0,596,3156,57.16,0,0\n1,30,0,2,3,8,1,2\n"))).Message, StringComparison.Ordinal);
        Assert.Contains("columns", Assert.Throws<InvalidDataException>(() => HandbookFile.Read(Packed("a,b\n"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cards_are_ranked_by_day_and_found_ones_leave()
    {
        // Day 1: cards 1 (fraud), 2, 3 (fraud, low). Day 2: card 1 again, which was found; 3 (fraud) and 4.
        (int, ulong, double, bool)[] rows =
        [
            (2, 4, 0.6, false), (2, 3, 0.7, true), (2, 1, 0.95, true),
            (1, 1, 0.2, false), (1, 1, 0.9, true), (1, 2, 0.8, false), (1, 3, 0.1, true),
        ];
        Assert.Equal((1.0 / 2 + 1.0 / 2) / 2, CardPrecision.AtK(rows, 2));
        Assert.Equal((1.0 + 1.0) / 2, CardPrecision.AtK(rows, 1));
        Assert.Equal((2.0 / 5 + 0.0) / 2, CardPrecision.AtK(rows, 5));      // 3 is found on day 1, and the day divides by 5 with three cards
        Assert.Equal(0, CardPrecision.AtK([(1, 1, 0.5, true), (1, 2, 0.5, false)], 1));      // a tie is no find
        Assert.Throws<InvalidDataException>(() => CardPrecision.AtK([], 1));
    }

    private static HandbookTransaction On(int day, int customer, bool fraud = false) => new(HandbookFile.Start.Plus(TimeSpan.FromDays(day)), day, customer, 1, 100, fraud);

    private static MemoryStream Packed(string text)
    {
        var memory = new MemoryStream();
        using (var zip = new GZipStream(memory, CompressionLevel.Fastest, leaveOpen: true)) zip.Write(Encoding.UTF8.GetBytes(text));
        memory.Position = 0;
        return memory;
    }
}
