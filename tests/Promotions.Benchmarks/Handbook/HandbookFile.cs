using System.Globalization;
using System.IO.Compression;
using Promotions.Domain;

namespace Promotions.Benchmarks.Handbook;

/// <summary>One card transaction.</summary>
/// <param name="Day">Days since 2018-04-01, UTC.</param>
/// <param name="Cents">Amount in hundredths.</param>
internal readonly record struct HandbookTransaction(EventTime At, int Day, int Customer, int Terminal, long Cents, bool Fraud);

/// <summary>The Fraud Detection Handbook's simulated transactions, as a file.</summary>
internal static class HandbookFile
{
    public const string Origin =
        "the Fraud Detection Handbook's simulated transactions (Le Borgne et al., github.com/Fraud-Detection-Handbook/fraud-detection-handbook, chapter 3; its data is simulated-data-raw) as "
        + "fraud-handbook/transactions.csv.gz with the columns tx_id, tx_time_seconds since 2018-04-01 00:00 UTC, tx_day, customer_id, terminal_id, amount, fraud, scenario: put it under a folder that PROMOTIONS_DATA_SETS names, or under ../shared/data beside the checkout";

    /// <summary>2018-04-01 00:00 UTC, a Sunday.</summary>
    public static readonly EventTime Start = EventTime.From(new DateTimeOffset(2018, 4, 1, 0, 0, 0, TimeSpan.Zero));

    /// <summary>Null where the data set is not here.</summary>
    public static string? Find()
    {
        var root = Environment.GetEnvironmentVariable("PROMOTIONS_DATA_SETS");
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); root is null && at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Promotions.sln"))) root = Path.Combine(at.FullName, "..", "shared", "data");
        var path = root is null ? null : Path.Combine(root, "fraud-handbook", "transactions.csv.gz");
        return File.Exists(path) ? path : null;
    }

    /// <summary>All transactions in order of time.</summary>
    /// <exception cref="InvalidDataException">A line is not a transaction, or earlier than the one before.</exception>
    public static List<HandbookTransaction> Read(Stream file)
    {
        using var reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress));
        if (reader.ReadLine() != "tx_id,tx_time_seconds,tx_day,customer_id,terminal_id,amount,fraud,scenario") throw new InvalidDataException("The columns are other ones. Expected " + Origin + ".");
        var transactions = new List<HandbookTransaction>(1_754_155);
        Span<Range> parts = stackalloc Range[9];
        while (reader.ReadLine() is { } text)
        {
            var line = text.AsSpan();
            if (line.Split(parts, ',') != 8) throw new InvalidDataException($"'{text}' has not 8 columns.");
            var at = Start.Plus(TimeSpan.FromSeconds(Whole(line[parts[1]])));
            if (transactions.Count > 0 && at < transactions[^1].At) throw new InvalidDataException($"'{text}' is earlier than the line before.");
            var cents = decimal.Parse(line[parts[5]], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) * 100;
            transactions.Add(new(at, Whole(line[parts[2]]), Whole(line[parts[3]]), Whole(line[parts[4]]), (long)cents, Whole(line[parts[6]]) == 1));
        }
        return transactions;
    }

    private static int Whole(ReadOnlySpan<char> text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
