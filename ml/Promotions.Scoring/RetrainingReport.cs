namespace Promotions.Scoring;

/// <summary>How a retraining ended: what <c>promotions-ml retrain</c> writes and a server that started it reads.</summary>
/// <param name="Outcome">One of <see cref="RetrainingOutcome"/>.</param>
/// <param name="Message">For a person.</param>
/// <param name="Candidate">Hash of the model file; null where none was made.</param>
/// <param name="Champion">Hash of the model that it was compared with; null where there is none.</param>
/// <param name="LogPosition">The last record of the log that was looked at.</param>
/// <param name="Rows">Attempts of the period.</param>
/// <param name="Abuse">Of them, labelled abuse.</param>
/// <param name="Comparison">Null where there was nothing to compare; the message says why.</param>
public sealed record RetrainingReport(string Outcome, string Message, string? Candidate, string? Champion, long LogPosition, int Rows, int Abuse, ModelComparison? Comparison);

/// <summary>The words of <see cref="RetrainingReport.Outcome"/>.</summary>
public static class RetrainingOutcome
{
    /// <summary>A candidate was made and measured.</summary>
    public const string Candidate = "candidate";
    /// <summary>Nothing was learned: labels are missing.</summary>
    public const string TooFewLabels = "too_few_labels";
    public const string Failed = "failed";
    /// <summary>The system stopped while it ran.</summary>
    public const string Interrupted = "interrupted";
}

/// <summary>Two models on the same rows, later than what the candidate learned from.</summary>
/// <param name="ChampionKnewSome">The champion learned from some of these rows: it looks better than it is.</param>
/// <param name="Saved">What the candidate's verdicts would have cost less than the champion's. Unit: minor units per thousand attempts; below 0 where it is worse.</param>
/// <param name="SavedLow">95 % interval over days drawn anew.</param>
public sealed record ModelComparison(
    int Rows, int Abuse, DateTimeOffset From, DateTimeOffset To, bool ChampionKnewSome, ModelMeasure Champion, ModelMeasure Candidate, double Saved, double SavedLow, double SavedHigh);

/// <param name="CalibrationError">As <see cref="HeldOutMetrics.CalibrationError"/>.</param>
/// <param name="Caught">Share of abuse at or above the threshold that flags 0.2 % of honest rows.</param>
/// <param name="Cost">Where it blocks what is expected to cost less blocked. Unit: minor units per thousand attempts.</param>
public sealed record ModelMeasure(double Auc, double AveragePrecision, double CalibrationError, double Caught, double Cost);

/// <summary>Where a system keeps its models among the settings beside the ledger.</summary>
public static class ModelSettings
{
    /// <summary>The registry's document is <see cref="CurrentName"/> in it, and each version before.</summary>
    public const string Scope = "models";
    public const string CurrentName = "current";
    /// <summary>Base64 of each file, by its hash.</summary>
    public const string FilesScope = "model-files";
}
