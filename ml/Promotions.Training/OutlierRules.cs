using System.Globalization;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Processing.State;
using Promotions.Scoring;

namespace Promotions.Training;

/// <summary>Hard rules measured on a past period: counts and sums that hardly any of its customers reached. What no model has met may still do something far too often.</summary>
/// <remarks>Each limit lies above what all customers but so many ever had, as many for every feature, and all limits together are reached by no more of them than the budget says. A row that lacks a value is not looked at for it.</remarks>
public static class OutlierRules
{
    /// <summary>Of people and what they hold: attempts, refusals and distinct others of all windows, carts and returns in money.</summary>
    /// <remarks>Orders are left out: the shop's best customer is the rarest of all. So are codes: how often one is tried grows with its campaign (<see cref="MeasureSurge"/>).</remarks>
    public static readonly IReadOnlyList<int> Measured = [.. FeatureRegistry.Features
        .Where(f => f.Measure is Measure.Count or Measure.Sum or Measure.Distinct && f.Entity is not (EntityKind.None or EntityKind.Coupon))
        .Where(f => f.Measure is Measure.Distinct || (SeriesKind)f.Source is not SeriesKind.Orders)
        .Select(f => f.Index)];

    public const string NamePrefix = "outlier.";
    public const string SurgePrefix = "outlier.surge.";

    /// <summary>A code's usual day is known from so many, and a few attempts more are no surge.</summary>
    private const int SurgeDaysMin = 14, SurgeAccountsMin = 10;

    private static readonly int s_customer = Entities.Kinds.ToList().IndexOf(EntityKind.Customer), s_coupon = Entities.Kinds.ToList().IndexOf(EntityKind.Coupon);
    private static readonly Strangers s_strangers = new(new FeatureCatalog());

    /// <summary>From this chance of abuse on, by the champion, an attempt's customer is not taken for honest: the shipped policy's review floor. Labels come for half of all abuse; this leaves out most of the rest.</summary>
    public const double SuspectFrom = 0.05;

    /// <summary>The rows of customers of whom nothing is known or suspected: no label of abuse, no rule that blocks them anyway, no score from <see cref="SuspectFrom"/> on.</summary>
    /// <param name="scorer">Null: nobody is suspected.</param>
    public static IReadOnlyList<TrainingRow> Unsuspected(IEnumerable<TrainingRow> rows, IReadOnlyList<HardRule> standing, IScorer? scorer) =>
        [.. rows.GroupBy(row => CustomerOf(row)).Where(own => !own.Any(row => row.Abuse || Blocks(standing, row) || scorer?.Probability(scorer.RawScore(row.Vector)) >= SuspectFrom)).SelectMany(own => own)];

    /// <param name="rows">Of customers who count as honest: the caller leaves out known abusers and whoever another rule blocks anyway.</param>
    /// <param name="customersMax">So many customers of the rows may reach a limit. 0 or more.</param>
    /// <returns>In the order of the layout; no limit on what no row has.</returns>
    /// <exception cref="InvalidDataException">There are not more customers than may reach a limit.</exception>
    public static IReadOnlyList<HardRule> MeasureLimits(IReadOnlyCollection<TrainingRow> rows, int customersMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(customersMax);
        float[][] mosts = [.. rows.GroupBy(row => CustomerOf(row)).Select(own => MostOf(own))];
        if (mosts.Length <= customersMax) throw new InvalidDataException($"The rows are of {mosts.Length} customers: too few for limits that {customersMax} of them may reach.");

        float[][] highest = [.. Measured.Select((_, f) => mosts.Select(most => most[f]).OrderDescending().Take(customersMax + 1).ToArray())];
        var (limits, but) = (LimitsAbove(0), 0);
        for (var more = 1; more <= customersMax && LimitsAbove(more) is var next && mosts.Count(most => Reaches(most, next)) <= customersMax; more++) (limits, but) = (next, more);
        var note = string.Create(CultureInfo.InvariantCulture, $"in the period measured, {(but == 0 ? "no customer" : but == 1 ? "at most one customer" : $"at most {but} customers")} of {mosts.Length:#,0} reached it");
        return [.. Measured.Select((feature, f) => (FeatureRegistry.Features[feature].Name, AtLeast: limits[f])).Where(limit => float.IsFinite(limit.AtLeast)).Select(limit => new HardRule(NamePrefix + limit.Name, limit.Name, limit.AtLeast, note))];

        float[] LimitsAbove(int customers) => [.. highest.Select(values => Above(values[customers]))];

        // The next whole number, or the next float where these lie further apart; without any value nothing can be said.
        static float Above(float value) => float.IsNegativeInfinity(value) ? float.PositiveInfinity : Math.Max(MathF.Floor(value) + 1, MathF.BitIncrement(value));

        static bool Reaches(float[] most, float[] limits)
        {
            for (var f = 0; f < limits.Length; f++)
                if (most[f] >= limits[f]) return true;
            return false;
        }
    }

    /// <summary>A limit on one code against its own past, for strangers only: a code that was given to few people and is suddenly used by many whom nobody knows.</summary>
    /// <remarks>The usual day is the median over days, so a surge in the period itself moves it little. For codes whose audience is known to be bounded: a public code is meant to surge.</remarks>
    /// <param name="times">So many times the accounts of its usual day. Above 1.</param>
    /// <returns>Null where the code was not tried on enough days to know its usual one.</returns>
    public static HardRule? MeasureSurge(IEnumerable<TrainingRow> rows, string code, double times)
    {
        var (key, accounts) = (EntityKey.OtherOf(code), FeatureRegistry.IndexOf("coupon_accounts_24h"));
        var days = rows.Where(row => row.Entities is { } keys && keys[s_coupon] == key && !float.IsNaN(row.Vector[accounts]))
            .GroupBy(row => row.At.UnixMilliseconds / Windows.OneDay).Select(day => Median(day.Select(row => row.Vector[accounts]))).ToList();
        if (days.Count < SurgeDaysMin) return null;
        var usual = Median(days);
        return new(SurgePrefix + code, FeatureRegistry.Features[accounts].Name, (float)Math.Ceiling(Math.Max(SurgeAccountsMin, usual * times)),
            string.Create(CultureInfo.InvariantCulture, $"on its usual day {usual:0} accounts use {code}"), code, StrangersOnly: true);

        static float Median(IEnumerable<float> values)
        {
            float[] sorted = [.. values.Order()];
            return sorted[sorted.Length / 2];
        }
    }

    /// <summary>What the decider's hard rules say, for a row of a data set.</summary>
    public static bool Blocks(IEnumerable<HardRule> rules, in TrainingRow row)
    {
        foreach (var rule in rules)
        {
            if (!rule.IsReachedBy(row.Vector[FeatureRegistry.IndexOf(rule.Feature)])) continue;
            if (rule.Code is { } code && (row.Entities is not { } keys || keys[s_coupon] != EntityKey.OtherOf(code))) continue;
            if (!rule.StrangersOnly || s_strangers.Are(row.Vector)) return true;
        }

        return false;
    }

    /// <summary>How many may reach a limit in a period of this length, where a share of them may in another: who comes for more days reaches one more easily.</summary>
    public static double Budget(int customers, double share, TimeSpan seen, TimeSpan per) => customers * share * (seen / per);

    internal static ulong CustomerOf(in TrainingRow row) => row.Entities is { } keys && keys[s_customer] is not 0 and var key ? key : throw new InvalidDataException("The data set does not say whose attempts its rows are: limits are measured by customer. promotions-ml dataset writes it.");

    private static float[] MostOf(IEnumerable<TrainingRow> own)
    {
        var most = new float[Measured.Count];
        Array.Fill(most, float.NegativeInfinity);
        foreach (var row in own)
            for (var f = 0; f < most.Length; f++)
                if (row.Vector[Measured[f]] > most[f]) most[f] = row.Vector[Measured[f]];
        return most;
    }
}
