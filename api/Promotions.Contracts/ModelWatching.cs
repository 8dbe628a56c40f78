namespace Promotions.Contracts;

/// <summary>One number of a model, as it was measured and as it is.</summary>
/// <param name="Name">A feature's, or <c>score</c>: log-odds.</param>
/// <param name="Psi">Population stability index; from 0.25 on an alarm.</param>
/// <param name="Ks">Largest gap of the distribution functions; from 0.20 on an alarm.</param>
/// <param name="Edges">Bins lie between them.</param>
/// <param name="Expected">Counts of the reference: missing, then the bins.</param>
/// <param name="Actual">Counts of the last 24 hours.</param>
public sealed record DriftNumberAnswer(string Name, double Psi, double Ks, IReadOnlyList<double> Edges, IReadOnlyList<long> Expected, IReadOnlyList<long> Actual);

/// <param name="From">Tenth of probability.</param>
/// <param name="Predicted">Mean probability of those that reviewers answered.</param>
/// <param name="Seen">Share that they called abuse.</param>
public sealed record CalibrationBinAnswer(double From, long Answers, double Predicted, double Seen);

/// <summary>A serving model's live traffic against what it was measured on.</summary>
/// <param name="Rows">Attempts of the last 24 hours; alarms need 1,000.</param>
/// <param name="MissingBecause">Why nothing is compared; else null.</param>
/// <param name="Alarms">Those that hold: measure and number.</param>
/// <param name="Numbers">The score first, then features.</param>
/// <param name="Answers">Reviewers' answers of the last 28 days; an alarm needs 100.</param>
/// <param name="CalibrationGap">Mean distance of probability and answers; from 0.10 on an alarm.</param>
public sealed record DriftAnswer(
    string Hash, long Rows, string? MissingBecause, IReadOnlyList<string> Alarms, IReadOnlyList<DriftNumberAnswer> Numbers, long Answers, double CalibrationGap, IReadOnlyList<CalibrationBinAnswer> Calibration);

/// <summary>A challenger beside the champion on the same attempts of the last 24 hours.</summary>
/// <param name="Agreement">Share of equal verdicts; null without attempts.</param>
/// <param name="Verdicts">Champion's row, challenger's column: approved, review, blocked.</param>
/// <param name="ChampionBlockedValue">Coupon value, minor units; currencies are added as they stand.</param>
/// <param name="Labelled">Attempts with a label of the last 28 days.</param>
/// <param name="ChampionCost">Of its verdicts on those, minor units.</param>
public sealed record ChallengerAnswer(
    string Hash, long Attempts, long Faults, double? Agreement, IReadOnlyList<IReadOnlyList<long>> Verdicts, long ChampionBlocked, long ChallengerBlocked, long ChampionBlockedValue, long ChallengerBlockedValue,
    long Labelled, long ChampionCost, long ChallengerCost);

public sealed record ComparisonAnswer(string? Champion, IReadOnlyList<ChallengerAnswer> Challengers);

/// <summary>The models for the dashboard: the same steps, checks and audit as <c>/v1/models</c>.</summary>
public interface IModelDesk
{
    ModelsAnswer Read();
    ComparisonAnswer Compare();

    /// <returns>Null where the model does not serve here.</returns>
    DriftAnswer? Drift(string hash);

    /// <param name="step"><c>shadow</c>, <c>promote</c> or <c>retire</c>.</param>
    /// <param name="keyId">Of the admin who asks.</param>
    Task<DeskAnswer> StepAsync(string hash, string step, string keyId, CancellationToken cancellationToken);
}
