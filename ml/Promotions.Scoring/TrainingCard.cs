namespace Promotions.Scoring;

/// <summary>Where a model comes from and how good it was, for the people who are asked to trust it.</summary>
/// <param name="TrainedOn">What the rows are, in words.</param>
/// <param name="Seed">Of the data and of the learner.</param>
/// <param name="PeriodFrom">First event time of the training rows; inclusive.</param>
/// <param name="PeriodTo">End of the training rows; exclusive.</param>
/// <param name="Rows">Training rows.</param>
/// <param name="AbuseShare">Share of abuse among them, 0 to 1.</param>
/// <param name="Command">Makes this file again, byte for byte.</param>
/// <param name="Held">Measured on rows later than training and calibration; null where there were none.</param>
public sealed record TrainingCard(string TrainedOn, long Seed, DateTimeOffset PeriodFrom, DateTimeOffset PeriodTo, int Rows, double AbuseShare, string Command, HeldOutMetrics? Held);

/// <param name="Auc">Area under the ROC curve.</param>
/// <param name="AveragePrecision">Area under the precision-recall curve, step-wise.</param>
/// <param name="LogLoss">Mean, natural logarithm, of calibrated probabilities.</param>
/// <param name="CalibrationError">Expected calibration error: mean over rows of |predicted - seen| in 15 bins of equal count.</param>
/// <param name="FalseAlarms">What is caught where a given share of honest rows is flagged.</param>
public sealed record HeldOutMetrics(int Rows, double AbuseShare, DateTimeOffset PeriodFrom, DateTimeOffset PeriodTo, double Auc, double AveragePrecision, double LogLoss,
    double CalibrationError, FalseAlarmPoint[] FalseAlarms, BrierScore? Brier = null);

/// <summary>Mean squared error of probabilities and what it is made of (Murphy 1973), in the bins of <see cref="HeldOutMetrics.CalibrationError"/>.</summary>
/// <param name="Score">0 is best.</param>
/// <param name="Reliability">How far bins' predictions lie from what was seen; 0 is best.</param>
/// <param name="Resolution">How far bins differ from the mean; more is better.</param>
/// <param name="Uncertainty">Of the labels alone: share · (1 − share). Score = reliability − resolution + uncertainty, but for differences within a bin.</param>
public sealed record BrierScore(double Score, double Reliability, double Resolution, double Uncertainty);

/// <param name="HonestFlagged">Share of honest rows at or above the threshold.</param>
/// <param name="Threshold">A probability.</param>
/// <param name="AbuseCaught">Share of abusive rows at or above it.</param>
public sealed record FalseAlarmPoint(double HonestFlagged, double Threshold, double AbuseCaught);
