using System.Globalization;
using Promotions.Domain;
using Promotions.Features;
using static Promotions.Features.Windows;

namespace Promotions.Benchmarks.Handbook;

/// <summary>Vectors of card transactions by the fold that serves: a card's customer is our customer, a terminal our device, a label arrives with its delay.</summary>
/// <remarks>Counts and sums are the stream's; shares, means and the amount's ratio to them are made of these. What a customer's own labels say is left out: the test weeks hold no
/// customer who is known to be defrauded.</remarks>
internal static class HandbookFeatures
{
    private static readonly int[] LabelDays = [1, 3, 7, 14, 21, 30];
    private static readonly int[] Days = [1, 7, 30];

    private static readonly FeatureDefinition[] OfCustomer =
    [
        .. Days.Select(days => Define(EntityKind.Customer, Measure.Count, SeriesKind.Attempts, days)),
        .. Days.Select(days => Define(EntityKind.Customer, Measure.Sum, SeriesKind.Attempts, days)),
        Define(EntityKind.Customer, Measure.SinceLast, SeriesKind.Attempts, 30),
    ];

    private static readonly FeatureDefinition[] OfTerminal =
    [
        .. Days.Select(days => Define(EntityKind.Device, Measure.Count, SeriesKind.Attempts, days)),
        .. Days.Select(days => Define(EntityKind.Device, Measure.Sum, SeriesKind.Attempts, days)),
        .. LabelDays.Select(days => Define(EntityKind.Device, Measure.Count, SeriesKind.Labels, days)),
        .. LabelDays.Select(days => Define(EntityKind.Device, Measure.Sum, SeriesKind.Labels, days)),
    ];

    public static readonly string[] Names =
    [
        "amount", "hour", "weekday",
        .. OfCustomer.Select(f => f.Name),
        .. Days.Select(days => $"customer_mean_{days}d"),
        "amount_to_mean_before", "spend_share_7d",
        .. OfTerminal.Select(f => f.Name),
        .. LabelDays.Select(days => $"terminal_fraud_share_{days}d"),
        "terminal_mean_30d",
    ];

    /// <param name="delay">Between a transaction and the arrival of its label.</param>
    /// <param name="fromDay">Rows before it are folded in, and have no vector.</param>
    /// <returns>A vector per transaction; null before <paramref name="fromDay"/>.</returns>
    public static float[]?[] Compute(IReadOnlyList<HandbookTransaction> transactions, TimeSpan delay, int fromDay)
    {
        var customers = new Table(EntityKind.Customer, OfCustomer);
        var terminals = new Table(EntityKind.Device, OfTerminal);
        var vectors = new float[]?[transactions.Count];
        float[] customer = new float[OfCustomer.Length], terminal = new float[OfTerminal.Length];
        var label = 0;
        for (var i = 0; i < transactions.Count; i++)
        {
            var t = transactions[i];
            for (; transactions[label].At.Plus(delay) <= t.At; label++)
            {
                var told = transactions[label];
                terminals.Of(told.Terminal).Apply(new Feedback(FeedbackType.Label, told.At.Plus(delay), false, false, told.Fraud, 0, default));
            }
            var seen = new Observation(t.At, (ulong)i + 1, t.Cents, (ulong)t.Customer + 1, (ulong)t.Terminal + 1, 0, default);
            customers.Of(t.Customer).Observe(seen, customer);
            terminals.Of(t.Terminal).Observe(seen, terminal);
            if (t.Day >= fromDay) vectors[i] = Vector(t, customer, terminal);
        }
        return vectors;
    }

    private static float[] Vector(in HandbookTransaction t, ReadOnlySpan<float> customer, ReadOnlySpan<float> terminal)
    {
        var vector = new float[Names.Length];
        var next = 0;
        var hours = (t.At.UnixMilliseconds - HandbookFile.Start.UnixMilliseconds) / OneHour;
        vector[next++] = t.Cents;
        vector[next++] = hours % 24;
        vector[next++] = hours / 24 % 7;
        foreach (var value in customer) vector[next++] = value;
        for (var w = 0; w < Days.Length; w++) vector[next++] = customer[Days.Length + w] / customer[w];
        var (count30, sum30) = (customer[2], customer[5]);
        vector[next++] = count30 > 1 ? t.Cents * (count30 - 1) / Math.Max(1, sum30 - t.Cents) : float.NaN;
        vector[next++] = customer[4] / Math.Max(1, sum30);
        foreach (var value in terminal) vector[next++] = value;
        var labels = 2 * Days.Length;
        for (var w = 0; w < LabelDays.Length; w++)
            vector[next++] = terminal[labels + w] > 0 ? terminal[labels + LabelDays.Length + w] / terminal[labels + w] : float.NaN;
        vector[next++] = terminal[5] / terminal[2];
        if (next != vector.Length) throw new InvalidOperationException("Other features are named than are filled.");
        return vector;
    }

    private static FeatureDefinition Define(EntityKind entity, Measure measure, SeriesKind source, int days)
    {
        var who = entity == EntityKind.Customer ? "customer" : "terminal";
        var what = (measure, source) switch
        {
            (Measure.SinceLast, _) => "since_last",
            (Measure.Sum, SeriesKind.Labels) => "frauds",
            (Measure.Sum, _) => "spend",
            (_, SeriesKind.Labels) => "labels",
            _ => "transactions",
        };
        return new(0, string.Create(CultureInfo.InvariantCulture, $"{who}_{what}_{days}d"), entity, FeatureUnit.Count, days * OneDay, measure, (byte)source, Exactness.Exact, Combine.Largest, "", "", "", "{0}");
    }

    private sealed class Table(EntityKind kind, FeatureDefinition[] features)
    {
        private readonly FeatureTrial _trial = new(kind, features);
        private readonly Dictionary<int, EntityState> _states = [];

        public EntityState Of(int id) => _states.TryGetValue(id, out var state) ? state : _states[id] = _trial.Start(id.ToString(CultureInfo.InvariantCulture));
    }
}
