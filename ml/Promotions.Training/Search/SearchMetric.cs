using Promotions.Processing.Decisions;
using Promotions.Scoring;

namespace Promotions.Training.Search;

/// <summary>What a search makes as small as it can.</summary>
/// <param name="Unit">Of the loss.</param>
public sealed record SearchMetric(string Name, string Unit, Func<IReadOnlyList<TrainingRow>, double[], Calibration, double> Loss)
{
    /// <summary>False alarm share of <c>missed</c>, as the shop's benchmark has it.</summary>
    private const double HonestShare = 0.002;

    /// <summary>The registry's name of what an attempt would be given. Unit: minor units.</summary>
    internal const string DiscountFeature = "request_discount";

    /// <param name="discount">Place of the feature that holds the discount in minor units; −1 where there is none.</param>
    /// <exception cref="InvalidDataException">There is no such metric.</exception>
    public static SearchMetric Of(string name, int discount) => name switch
    {
        "cost" => new(name, "minor units per attempt", (rows, raw, calibration) => Cost(rows, raw, calibration, discount)),
        "ap" => new(name, "1 − average precision", (rows, raw, _) => 1 - Evaluation.AveragePrecision(raw, Labels(rows))),
        "auc" => new(name, "1 − AUC", (rows, raw, _) => 1 - Evaluation.Auc(raw, Labels(rows))),
        "logloss" => new(name, "nats per attempt", (rows, raw, calibration) => Evaluation.LogLoss([.. raw.Select(calibration.Probability)], Labels(rows))),
        "missed" => new(name, "share of abuse missed where 0.2 % of honest rows are flagged", (rows, raw, _) => 1 - Evaluation.FalseAlarms(raw, Labels(rows), HonestShare).AbuseCaught),
        _ => throw new InvalidDataException($"There is no metric '{name}'. There are cost, ap, auc, logloss and missed."),
    };

    /// <summary>What a checkout would have lost that blocks where that is expected to cost less: the value of abuse let through and of honest customers wronged.</summary>
    private static double Cost(IReadOnlyList<TrainingRow> rows, double[] raw, Calibration calibration, int discount)
    {
        var costs = FraudCosts.Default;
        double sum = 0;
        for (var i = 0; i < raw.Length; i++) sum += CostOf(rows[i], calibration.Probability(raw[i]), costs, discount);
        return sum / raw.Length;
    }

    /// <summary>What one attempt costs that is blocked where that is expected to cost less. Unit: minor units.</summary>
    internal static double CostOf(TrainingRow row, double probability, FraudCosts costs, int discount)
    {
        var loss = LossOf(row, costs, discount);
        var blocks = probability * loss > (1 - probability) * costs.WrongedCustomer;
        return (row.Abuse, blocks) switch { (true, false) => loss, (false, true) => costs.WrongedCustomer, _ => 0 };
    }

    /// <summary>What an abusive attempt costs that is let through. Unit: minor units.</summary>
    internal static double LossOf(TrainingRow row, FraudCosts costs, int discount) =>
        discount >= 0 && row.Vector[discount] is > 0 and var value ? Math.Max(costs.LossMin, costs.AbuseMultiple * value) : costs.LossMin;

    private static bool[] Labels(IReadOnlyList<TrainingRow> rows) => [.. rows.Select(row => row.Abuse)];
}
