using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

[Description("When a candidate is learned from the log, and from what. A candidate decides nothing: promotion takes two people.")]
public sealed class RetrainingPolicyBody
{
    [Range(1, 365), Description("Days from one retraining to the next; none begins by itself when left out.")]
    public long? EveryDays { get; set; }

    [Required, Range(0, 23), Description("The hour of the day at which one begins, UTC: a quiet one.")]
    public long? Hour { get; set; }

    [Required, Range(7, 730), Description("Length of the period to learn from, in days.")]
    public long? PeriodDays { get; set; }

    [Required, Range(0, 365), Description("The period ends so many days before now: complaints take as long. What nobody complained about by then counts as honest.")]
    public long? LabelDays { get; set; }

    [Required, Range(10, 1_000_000), Description("Attempts labelled abuse that the period needs, a tenth of them in its later part, on which champion and candidate are compared.")]
    public long? LabelsMin { get; set; }
}

/// <summary>A retraining that is going on.</summary>
/// <param name="Doing">In words.</param>
public sealed record RetrainingNowAnswer([property: DataType(DataType.DateTime)] string StartedAt, string StartedBy, string Doing);

/// <summary>Two models on the same rows, later than what the candidate learned from.</summary>
/// <param name="ChampionKnewSome">The champion learned from some of these rows: it looks better than it is.</param>
/// <param name="Saved">What the candidate's verdicts would have cost less than the champion's, minor units per thousand attempts; below 0 where it is worse.</param>
/// <param name="SavedLow">95 % interval over days drawn anew.</param>
public sealed record RetrainingComparisonAnswer(
    int Rows, int Abuse, [property: DataType(DataType.DateTime)] string From, [property: DataType(DataType.DateTime)] string To, bool ChampionKnewSome,
    ModelMeasureAnswer Champion, ModelMeasureAnswer Candidate, double Saved, double SavedLow, double SavedHigh);

/// <param name="CalibrationError">Expected calibration error, 0 to 1.</param>
/// <param name="Caught">Share of abuse at or above the threshold that flags 0.2 % of honest attempts.</param>
/// <param name="Cost">Minor units per thousand attempts.</param>
public sealed record ModelMeasureAnswer(double Auc, double AveragePrecision, double CalibrationError, double Caught, double Cost);

/// <param name="StartedBy">The key that asked for it, or <c>schedule</c>.</param>
/// <param name="Outcome">candidate, too_few_labels, failed, interrupted.</param>
/// <param name="Candidate">The hash that it was registered under; null where there is none.</param>
/// <param name="Rows">Attempts of the period.</param>
/// <param name="Abuse">Of them, labelled abuse.</param>
/// <param name="Comparison">Null where there was nothing to compare; the message says why.</param>
public sealed record RetrainingRunAnswer(
    [property: DataType(DataType.DateTime)] string StartedAt, [property: DataType(DataType.DateTime)] string EndedAt, string StartedBy,
    [property: AllowedValues("candidate", "too_few_labels", "failed", "interrupted")] string Outcome, string Message,
    string? Candidate, string? Champion, int Rows, int Abuse, RetrainingComparisonAnswer? Comparison);

/// <param name="MissingBecause">Why nothing can be learned here; else null.</param>
/// <param name="Now">Null where none is going on.</param>
/// <param name="NextAt">When the schedule begins the next one; null where it does not.</param>
/// <param name="Runs">The newest first.</param>
public sealed record RetrainingAnswer(
    RetrainingPolicyBody Policy, string? MissingBecause, RetrainingNowAnswer? Now, [property: DataType(DataType.DateTime)] string? NextAt, IReadOnlyList<RetrainingRunAnswer> Runs);

/// <summary>Retraining for the dashboard: the same checks and audit as <c>/v1/models/retraining</c>.</summary>
public interface IRetrainingDesk
{
    RetrainingAnswer Read();

    /// <param name="keyId">Of the admin who asks.</param>
    Task<DeskAnswer> StartAsync(string keyId, CancellationToken cancellationToken);

    /// <param name="keyId">Of the admin who asks.</param>
    Task<DeskAnswer> PutAsync(RetrainingPolicyBody body, string keyId, CancellationToken cancellationToken);
}
