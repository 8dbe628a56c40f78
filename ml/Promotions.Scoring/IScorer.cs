using Promotions.Scoring.Drift;

namespace Promotions.Scoring;

/// <summary>A loaded model. Immutable and safe from any thread.</summary>
public interface IScorer
{
    /// <summary>SHA-256 of the model file, lower-case hex.</summary>
    string ModelHash { get; }
    /// <summary>The feature layout that the model was trained on; another layout is refused at load.</summary>
    ulong LayoutHash { get; }
    int FeatureCount { get; }

    /// <summary>Log-odds. NaN in the vector is a missing value.</summary>
    /// <exception cref="ArgumentException">The vector's length is not <see cref="FeatureCount"/>.</exception>
    double RawScore(ReadOnlySpan<float> vector);

    /// <summary>A bound of the log-odds over every vector between two, per feature: no vector in the box scores more. Where both are equal it is the raw score; elsewhere a box of several
    /// features may be bounded above what any vector in it scores.</summary>
    /// <param name="high">At least <paramref name="low"/> in every feature; NaN where that is, and only there.</param>
    /// <returns>Null where the model can bound nothing.</returns>
    double? RawScoreAtMost(ReadOnlySpan<float> low, ReadOnlySpan<float> high) => null;

    /// <summary>Calibrated probability of abuse, 0 to 1. Never falls while the raw score rises.</summary>
    double Probability(double rawScore);

    /// <summary>Exact additive contributions in log-odds (TreeSHAP, path dependent). Their sum plus <see cref="ExpectedScore"/> is the raw score to 1e-9.</summary>
    void Explain(ReadOnlySpan<float> vector, Span<double> contributions);

    double ExpectedScore { get; }

    /// <summary>Where the model comes from; null when its file does not say.</summary>
    TrainingCard? Card => null;

    /// <summary>What live traffic is compared with; null when its file has none.</summary>
    ModelReference? Reference => null;

    /// <summary>The largest share of the population that stayed below a value of a feature. Null where no bound lies below it, or nothing was measured.</summary>
    PopulationBound? UsualBelow(int feature, float value) => null;
}
