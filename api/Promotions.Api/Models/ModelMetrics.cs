using Prometheus;
using Promotions.Api.Observing;
using Promotions.Scoring.Drift;

namespace Promotions.Api.Models;

/// <summary>Drift at <c>/metrics</c>. Models by the first 12 digits of their hash: three at most at a time.</summary>
internal sealed class ModelMetrics
{
    private readonly Gauge _psi;
    private readonly Gauge _ks;
    private readonly Gauge _rows;
    private readonly Gauge _alarms;
    private readonly Gauge _calibration;

    public ModelMetrics(ApiMetrics api)
    {
        var factory = Metrics.WithCustomRegistry(api.Registry);
        _psi = factory.CreateGauge("promotions_model_drift_psi", "Population stability index of the last 24 hours against the model's reference, by feature or score.", "model", "number");
        _ks = factory.CreateGauge("promotions_model_drift_ks", "Kolmogorov-Smirnov gap of the last 24 hours against the model's reference, by feature or score.", "model", "number");
        _rows = factory.CreateGauge("promotions_model_drift_rows", "Attempts in the window.", "model");
        _alarms = factory.CreateGauge("promotions_model_drift_alarms", "Drift alarms that hold.", "model");
        _calibration = factory.CreateGauge("promotions_model_calibration_gap", "How far probabilities lie from reviewers' answers of 28 days, mean over answers.", "model");
    }

    public void Show(DriftReading reading, int alarms)
    {
        var model = reading.ModelHash[..Math.Min(12, reading.ModelHash.Length)];
        if (reading.Measures.Count == 0)
        {
            // Nothing to compare yet: there, and no number.
            _psi.WithLabels(model, "score").Set(double.NaN);
            _ks.WithLabels(model, "score").Set(double.NaN);
        }

        foreach (var measure in reading.Measures)
        {
            _psi.WithLabels(model, measure.Name).Set(measure.Psi);
            _ks.WithLabels(model, measure.Name).Set(measure.Ks);
        }

        _rows.WithLabels(model).Set(reading.Rows);
        _alarms.WithLabels(model).Set(alarms);
        _calibration.WithLabels(model).Set(reading.Calibration.Gap);
    }
}
