namespace Promotions.Training;

/// <summary>How to learn. The defaults make the shipped model.</summary>
public sealed record TrainingOptions
{
    /// <summary>Unit: trees. The latency numbers are stated for 200.</summary>
    public int Trees { get; init; } = 200;
    /// <summary>Leaves per tree, at most. Above 32 a row costs a wider mask, above 64 a walk.</summary>
    public int Leaves { get; init; } = 31;
    public double LearningRate { get; init; } = 0.05;
    /// <summary>Rows that a leaf needs; small leaves learn single customers.</summary>
    public int RowsPerLeafMin { get; init; } = 40;
    public double L2 { get; init; } = 1;
    /// <summary>Share of the rows that each tree sees, drawn anew per tree by <see cref="Seed"/>; above 0, 1 for all.</summary>
    public double RowShare { get; init; } = 1;
    /// <summary>Share of the features that each tree may split on, drawn by <see cref="Seed"/>; above 0, 1 for all.</summary>
    public double FeatureShare { get; init; } = 1;
    public int Seed { get; init; } = 1;
    /// <summary>Share of the rows, earliest first, that trees learn from.</summary>
    public double FitShare { get; init; } = 0.7;
    /// <summary>Share of the rows that follow them and set the calibration. The rest, the latest, is only measured.</summary>
    public double CalibrateShare { get; init; } = 0.15;
    /// <summary>Feature indices that arrive together, one array per part of a request that can be late in serving.</summary>
    public IReadOnlyList<int[]> Parts { get; init; } = [];
    /// <summary>Share of rows × parts that are taught as late (missing), 0 to 1: the rate observed in serving.</summary>
    public double LateRate { get; init; }
    /// <summary>Features that <see cref="LeakCheck"/> suspects and somebody vouches for.</summary>
    public IReadOnlyList<string> Accepted { get; init; } = [];
    /// <summary>Written on the card.</summary>
    public string Command { get; init; } = "";
}
