using System.Globalization;
using Promotions.Features;
using Promotions.Processing.Decisions;

namespace Promotions.Training;

/// <summary>Hard rules that need no label: counts that hardly anybody of a past period reached. What no model has met may still do something far too often.</summary>
/// <remarks>
/// One level of unusualness for all counts: −ln of the share of a period's rows that reach a value. The level is the lowest that all but so many customers of later rows stay below; each count's limit is its first value at that level.
/// So a limit says the same of every count, and the budget of honest customers is kept by all limits together. A row that lacks a count is not looked at for it.
/// </remarks>
public static class OutlierRules
{
    /// <summary>Of people and what they hold, within a day. Codes are left out: how often a code is tried grows with its campaign, and means something else a month later.</summary>
    public static readonly IReadOnlyList<int> Counts = [.. FeatureRegistry.Features
        .Where(f => f.Measure is Measure.Count or Measure.Distinct && f.Window is > 0 and <= Windows.OneDay && f.Entity is not (EntityKind.None or EntityKind.Coupon))
        .Select(f => f.Index)];

    public const string NamePrefix = "outlier.";

    /// <param name="usual">Rows that say how usual a count is: everybody's, for nobody knows yet who was honest.</param>
    /// <param name="later">Rows behind them that fix the level, by customer; those of known abusers and of whoever another rule blocks anyway are left out by the caller.</param>
    /// <param name="customersMax">So many customers of the later rows may reach a limit. 0 or more.</param>
    /// <returns>In the order of the layout; nothing where not one count was seen to be rare enough.</returns>
    /// <exception cref="InvalidDataException">There are not more later customers than may reach a limit.</exception>
    public static IReadOnlyList<OutlierLimit> MeasureLimits(IReadOnlyCollection<float[]> usual, IReadOnlyCollection<TrainingRow> later, int customersMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(customersMax);
        CountTail[] tails = [.. Counts.Select(feature => CountTail.Of(feature, usual))];
        var mosts = new Dictionary<ulong, double>();
        foreach (var row in later)
        {
            var customer = CustomerOf(row);
            var most = tails.Max(tail => tail.Unusual(row.Vector[tail.Feature]));
            if (!mosts.TryGetValue(customer, out var before) || most > before) mosts[customer] = most;
        }

        if (mosts.Count <= customersMax) throw new InvalidDataException($"The later rows are of {mosts.Count} customers: too few for a limit that {customersMax} of them may reach.");
        var level = Math.BitIncrement(mosts.Values.OrderDescending().ElementAt(customersMax));
        return [.. tails.Select(tail => tail.LimitAt(level)).OfType<(int Feature, float AtLeast)>().Select(limit => Limit(limit.Feature, limit.AtLeast, usual, later))];
    }

    /// <summary>What the decider does with a vector, for rows of a data set.</summary>
    public static bool Reaches(IReadOnlyList<OutlierLimit> limits, ReadOnlySpan<float> vector)
    {
        foreach (var limit in limits)
            if (limit.Rule.IsReachedBy(vector[limit.Feature])) return true;
        return false;
    }

    /// <summary>How many may reach a limit in a period of this length, where a share of them may in another: who comes for more days reaches one more easily.</summary>
    public static double Budget(int customers, double share, TimeSpan seen, TimeSpan per) => customers * share * (seen / per);

    internal static ulong CustomerOf(in TrainingRow row) => row.Entities is { } keys && keys[s_customer] is not 0 and var key ? key : throw new InvalidDataException("The data set does not say whose attempts its rows are: limits are measured by customer. promotions-ml dataset writes it.");

    private static readonly int s_customer = Entities.Kinds.ToList().IndexOf(EntityKind.Customer);

    private static OutlierLimit Limit(int feature, float atLeast, IReadOnlyCollection<float[]> usual, IReadOnlyCollection<TrainingRow> later)
    {
        var name = FeatureRegistry.Features[feature].Name;
        var customers = later.Where(row => row.Vector[feature] >= atLeast).Select(row => CustomerOf(row)).Distinct().Count();
        var rows = usual.Count(vector => vector[feature] >= atLeast);
        var note = string.Create(CultureInfo.InvariantCulture, $"in the period measured {(customers == 0 ? "no customer" : customers == 1 ? "one customer" : $"{customers:#,0} customers")} reached it");
        return new(new(NamePrefix + name, name, atLeast, Note: note), feature, rows, customers);
    }

    /// <summary>The values of one count, sorted.</summary>
    private sealed record CountTail(int Feature, float[] Sorted)
    {
        public static CountTail Of(int feature, IReadOnlyCollection<float[]> rows) => new(feature, [.. rows.Select(row => row[feature]).Where(value => !float.IsNaN(value)).Order()]);

        /// <summary>−ln of the share of rows that reach the value, the row itself counted with them; 0 where it is missing.</summary>
        public double Unusual(float value)
        {
            if (float.IsNaN(value)) return 0;
            var (low, high) = (0, Sorted.Length);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (Sorted[middle] < value) low = middle + 1;
                else high = middle;
            }
            return Unusual(low);
        }

        /// <returns>Null where even a value above all seen is not unusual enough: too few rows have it.</returns>
        public (int Feature, float AtLeast)? LimitAt(double level)
        {
            if (Unusual(Sorted.Length) < level) return null;
            var (low, high) = (0, Sorted.Length);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (Unusual(middle) < level) low = middle + 1;
                else high = middle;
            }
            // Whole numbers: above so many rows' values is one more than the last of them.
            return (Feature, low == 0 ? Sorted[0] : MathF.Floor(Sorted[low - 1]) + 1);
        }

        /// <param name="below">Rows with less.</param>
        private double Unusual(int below) => -Math.Log((Sorted.Length - below + 1.0) / (Sorted.Length + 1.0));
    }
}

/// <summary>A measured limit.</summary>
/// <param name="Rule">As the fraud policy takes it.</param>
/// <param name="Feature">The rule's, by index of the layout.</param>
/// <param name="Rows">Rows of the usual part that reach it.</param>
/// <param name="Customers">Of the later part, who reach it.</param>
public sealed record OutlierLimit(HardRule Rule, int Feature, int Rows, int Customers);
