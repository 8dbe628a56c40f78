namespace Promotions.Scoring;

/// <summary>Turns a raw score (log-odds of the training rows) into a probability.</summary>
/// <remarks>Either Platt (<see cref="Slope"/>, <see cref="Intercept"/>) or isotonic (<see cref="Raw"/>, <see cref="Value"/>: straight lines between
/// points, flat beyond the ends). Non-decreasing in the raw score.</remarks>
/// <param name="Method"><c>platt</c> or <c>isotonic</c>.</param>
/// <param name="Slope">Platt: probability = 1 / (1 + exp(-(slope · raw + intercept))); ≥ 0.</param>
/// <param name="Raw">Isotonic: strictly ascending raw scores.</param>
/// <param name="Value">Isotonic: their probabilities, ascending, 0 to 1.</param>
public sealed record Calibration(string Method, double Slope, double Intercept, double[] Raw, double[] Value)
{
    public const string PlattMethod = "platt";
    public const string IsotonicMethod = "isotonic";

    /// <summary>The raw score taken as it is: log-odds.</summary>
    public static Calibration None { get; } = Platt(1, 0);
    public static Calibration Platt(double slope, double intercept) => new(PlattMethod, slope, intercept, [], []);
    public static Calibration Isotonic(double[] raw, double[] value) => new(IsotonicMethod, 0, 0, raw, value);

    /// <returns>0 to 1; NaN for NaN.</returns>
    public double Probability(double raw)
    {
        if (Method == PlattMethod) return 1 / (1 + Math.Exp(-((Slope * raw) + Intercept)));
        if (double.IsNaN(raw)) return double.NaN;
        if (raw <= Raw[0]) return Value[0];
        if (raw >= Raw[^1]) return Value[^1];
        var above = Array.BinarySearch(Raw, raw);
        if (above >= 0) return Value[above];
        above = ~above;
        var share = (raw - Raw[above - 1]) / (Raw[above] - Raw[above - 1]);
        return Value[above - 1] + (share * (Value[above] - Value[above - 1]));
    }

    /// <returns>What is wrong with it, or null.</returns>
    internal string? Problem()
    {
        if (Method == PlattMethod)
            return double.IsFinite(Slope) && double.IsFinite(Intercept) && Slope >= 0 ? null : $"slope {Slope} and intercept {Intercept} are no calibration";
        if (Method != IsotonicMethod) return $"the method '{Method}' is unknown; there are '{PlattMethod}' and '{IsotonicMethod}'";
        if (Raw.Length == 0 || Raw.Length != Value.Length) return "an isotonic calibration needs as many values as raw scores, and at least one";
        for (var i = 0; i < Raw.Length; i++)
        {
            if (!double.IsFinite(Raw[i]) || !(Value[i] is >= 0 and <= 1)) return $"point {i} is ({Raw[i]}, {Value[i]})";
            if (i > 0 && (Raw[i] <= Raw[i - 1] || Value[i] < Value[i - 1])) return $"point {i} does not ascend";
        }
        return null;
    }
}
