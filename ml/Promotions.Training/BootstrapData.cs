using Promotions.Domain;
using Promotions.Features;

namespace Promotions.Training;

/// <summary>Vectors drawn from rules of thumb about honest shoppers and four kinds of abuse, for a server that has no history and no simulated one yet.</summary>
/// <remarks>No replay made them and no shop was observed: the numbers below are opinions. A model of them ranks the obvious and knows nothing else; its card says so.
/// Every value is drawn by the registry's own description of the feature, so that the layout may grow.</remarks>
public static class BootstrapData
{
    public const string TrainedOn = "BOOTSTRAP: vectors drawn from rules of thumb, no replay and no shop behind them; to be replaced by a model of replayed records";

    /// <summary>How busy an entity is. Rates per 30 days; a rush is what the last hour adds. Shares are of its attempts.</summary>
    private readonly record struct Habit(double Present, double Rate, double Spread, double Rush, double Accounts, double Codes, double Invalid, double Refused);

    private sealed record Profile(double Share, bool Abuse, double YoungAccount, double Deep, Func<EntityKind, Habit> Habits, double Returned, double Known);

    private static readonly Profile[] Profiles =
    [
        new(0.900, false, 0.05, 0.15, Honest, 0.05, 0.02),
        // Honest look-alikes: a till, an office or a carrier's shared ip; an influencer's code.
        new(0.070, false, 0.20, 0.20, kind => kind is EntityKind.Ip or EntityKind.Network ? new(1, 900, 1.0, 4, 0.8, 0.3, 0.02, 0.03)
            : kind is EntityKind.Coupon ? new(1, 3000, 1, 30, 0.98, 1, 0, 0.03) : Honest(kind), 0.05, 0.03),
        // One person, many accounts.
        new(0.012, true, 0.80, 0.45, kind => kind is EntityKind.Customer ? new(1, 1.5, 0.5, 0.3, 1, 0.9, 0.05, 0.1)
            : kind is EntityKind.Device or EntityKind.PaymentToken or EntityKind.Address ? new(0.7, 18, 0.7, 2, 0.8, 0.7, 0.05, 0.15)
            : kind is EntityKind.Ip or EntityKind.Network ? new(0.95, 30, 0.8, 3, 0.7, 0.6, 0.05, 0.15) : Honest(kind), 0.10, 0.35),
        // Guessing codes.
        new(0.008, true, 0.50, 0.20, kind => kind is EntityKind.Coupon ? new(0.4, 2, 1, 1, 0.9, 1, 0, 0.8)
            : kind is EntityKind.PaymentToken or EntityKind.Address ? new(0.1, 1, 0.5, 0, 0.5, 0.5, 0, 0.2) : new(0.95, 60, 1, 40, 0.3, 0.95, 0.85, 0.9), 0.02, 0.30),
        // A code that was not meant for so many.
        new(0.006, true, 0.45, 0.55, kind => kind is EntityKind.Coupon ? new(1, 400, 1, 60, 0.97, 1, 0, 0.25) : Honest(kind), 0.05, 0.15),
        // Earn, then return.
        new(0.004, true, 0.15, 0.35, kind => kind is EntityKind.Customer ? new(1, 12, 0.5, 0.5, 1, 0.5, 0.02, 0.1) : Honest(kind), 0.85, 0.45),
    ];

    private const double Hidden = 0.6;
    private const double Suspicious = 0.004;

    private static Habit Honest(EntityKind kind) => kind switch
    {
        EntityKind.Customer => new(1, 1.2, 0.8, 0.05, 1, 0.8, 0.01, 0.05),
        EntityKind.Device => new(0.85, 1.5, 0.8, 0.06, 0.25, 0.7, 0.01, 0.05),
        EntityKind.Ip => new(0.9, 3, 1.3, 0.1, 0.4, 0.6, 0.01, 0.05),
        EntityKind.Network => new(0.9, 30, 1.3, 0.4, 0.8, 0.6, 0.01, 0.05),
        EntityKind.Coupon => new(0.9, 120, 1.6, 0.8, 0.95, 1, 0, 0.05),
        EntityKind.PaymentToken => new(0.6, 1, 0.7, 0.03, 0.1, 0.7, 0.01, 0.04),
        _ => new(0.55, 1.3, 0.7, 0.04, 0.3, 0.7, 0.01, 0.04),
    };

    public static DataSet Create(int seed, int rows)
    {
        var random = new Random(seed);
        var list = new TrainingRow[rows];
        var start = new EventTime(1_735_689_600_000);                      // 2025-01-01; a place on the time line is needed, not a period
        for (var i = 0; i < rows; i++)
        {
            var draw = random.NextDouble();
            var profile = Profiles[0];
            foreach (var candidate in Profiles)
            {
                profile = candidate;
                if ((draw -= candidate.Share) < 0) break;
            }
            var at = start.Plus(TimeSpan.FromMinutes(i));
            var vector = new float[FeatureRegistry.Count];
            FeatureVector.Clear(vector);
            Describe(random, profile, at, vector);
            foreach (var kind in Entities.Kinds) Fill(random, profile, kind, vector);
            list[i] = new(vector, profile.Abuse, 1, at);
        }
        return new(FeatureRegistry.LayoutHash, [.. FeatureRegistry.Features.Select(f => f.Name)], TrainedOn, seed, list);
    }

    private static void Describe(Random random, Profile profile, EventTime at, float[] vector)
    {
        var subtotal = Math.Round(LogNormal(random, 4_000, 0.7));
        var share = random.NextDouble() < profile.Deep ? 0.2 + (0.4 * random.NextDouble()) : 0.05 + (0.15 * random.NextDouble());
        var age = random.NextDouble() < profile.YoungAccount ? random.NextDouble() * Windows.OneDay : LogNormal(random, 200.0 * Windows.OneDay, 1);
        var lines = 1 + Poisson(random, 2);
        var guessed = random.NextDouble() < profile.Habits(EntityKind.Customer).Invalid;
        foreach (var feature in FeatureRegistry.Features.Where(f => f.Entity == EntityKind.None))
        {
            double value = feature.Name["request_".Length..] switch
            {
                "subtotal" => subtotal,
                "discount" => Math.Floor(guessed ? 0 : subtotal * share),
                "discount_share" => guessed ? 0 : Math.Floor(subtotal * share) / subtotal,
                "tender_share" => random.NextDouble() < 0.1 ? random.NextDouble() : 0,
                "lines" => lines,
                "quantity" => lines + Poisson(random, 1),
                "redeemables" => 1 + Poisson(random, 0.1),
                "unknown_codes" => guessed ? 1 : 0,
                "validation" => random.NextDouble() < 0.2 ? 1 : 0,
                "account_age" => random.NextDouble() < 0.05 ? double.NaN : Math.Round(age),
                "hour" => at.ToDateTimeOffset().Hour,
                "weekday" => (int)at.ToDateTimeOffset().DayOfWeek,
                _ => double.NaN,
            };
            vector[feature.Index] = (float)value;
        }
    }

    private static void Fill(Random random, Profile profile, EntityKind kind, float[] vector)
    {
        // Abusers hide, most of the time at any one entity; honest people share devices, codes and households with all kinds.
        var draw = random.NextDouble();
        var habit = profile.Abuse && draw < Hidden ? Honest(kind)
            : !profile.Abuse && draw < Suspicious ? Profiles[^(1 + random.Next(4))].Habits(kind)
            : profile.Habits(kind);
        if (random.NextDouble() >= habit.Present) return;
        var rate = LogNormal(random, habit.Rate, habit.Spread);
        var rush = LogNormal(random, habit.Rush, 0.5);

        // Attempts by window: nested, so that a longer window never counts less.
        var attempts = new Dictionary<long, int> { [0] = 1 };
        var (count, inner) = (1, 0L);
        foreach (var window in (ReadOnlySpan<long>)[Windows.OneMinute, Windows.TenMinutes, Windows.OneHour, Windows.OneDay, Windows.SevenDays, Windows.ThirtyDays])
        {
            count += Poisson(random, rate * (window - inner) / Windows.ThirtyDays);
            if (window <= Windows.OneHour) count += Poisson(random, rush * (window - inner) / Windows.OneHour);
            attempts[window] = count;
            inner = window;
        }

        var spend = LogNormal(random, 3_500, 0.6);
        var orders = Poisson(random, profile.Abuse ? rate * 0.6 : rate);
        var labels = Poisson(random, (draw < Hidden ? 0.02 : profile.Known) * Math.Min(attempts[Windows.ThirtyDays], 20));
        var abuse = Poisson(random, labels * (profile.Abuse ? 0.6 : 0.05));
        foreach (var feature in FeatureRegistry.Features.Where(f => f.Entity == kind))
        {
            var seen = attempts.GetValueOrDefault(feature.Window, 1);
            double value = feature.Measure switch
            {
                Measure.Count => (SeriesKind)feature.Source switch
                {
                    SeriesKind.Attempts => seen,
                    SeriesKind.Refusals => Poisson(random, habit.Refused * (seen - 1)),
                    _ => orders,
                },
                Measure.Sum => (SeriesKind)feature.Source switch
                {
                    SeriesKind.Attempts => Math.Round(spend * seen),
                    SeriesKind.Returns => Math.Round(spend * orders * (random.NextDouble() < profile.Returned ? 0.3 + (0.7 * random.NextDouble()) : 0)),
                    _ => Math.Round(spend * orders),
                },
                Measure.Distinct => Math.Min(FeatureRegistry.DistinctMax, Distinct(random, habit, (OtherKind)feature.Source, seen)),
                Measure.SinceFirst => Math.Round(Windows.ThirtyDays * (1 - (random.NextDouble() / Math.Max(1, attempts[Windows.ThirtyDays] - 1)))) * (attempts[Windows.ThirtyDays] > 1 ? 1 : 0),
                Measure.SinceLast => attempts[Windows.ThirtyDays] == 1 ? double.NaN : Math.Round(Windows.ThirtyDays / (rate + (rush * 720)) * random.NextDouble() * 2),
                Measure.Burst => attempts[Windows.TenMinutes] / Math.Max(1, attempts[Windows.SevenDays] / 1008.0),
                Measure.AbuseRate => (Math.Min(abuse, labels) + (FeatureRegistry.AbusePriorShare * FeatureRegistry.AbusePriorWeight)) / (labels + FeatureRegistry.AbusePriorWeight),
                _ => double.NaN,
            };
            vector[feature.Index] = (float)value;
        }
    }

    private static double Distinct(Random random, Habit habit, OtherKind other, int seen) => other switch
    {
        OtherKind.Accounts => 1 + Math.Min(seen - 1, Poisson(random, habit.Accounts * (seen - 1))),
        OtherKind.Codes => 1 + Math.Min(seen - 1, Poisson(random, habit.Codes * (seen - 1))),
        OtherKind.InvalidCodes => Math.Min(seen, Poisson(random, habit.Invalid * seen)),
        _ => 1 + Math.Min(seen - 1, Poisson(random, 0.2 * (seen - 1))),
    };

    private static double LogNormal(Random random, double median, double sigma) => median * Math.Exp(sigma * Normal(random));

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>Knuth's product for small means; the rounded normal above 30, where nobody could tell.</summary>
    private static int Poisson(Random random, double mean)
    {
        if (mean > 30) return (int)Math.Max(0, Math.Round(mean + (Math.Sqrt(mean) * Normal(random))));
        var limit = Math.Exp(-mean);
        var count = 0;
        for (var product = random.NextDouble(); product > limit; product *= random.NextDouble()) count++;
        return count;
    }
}
