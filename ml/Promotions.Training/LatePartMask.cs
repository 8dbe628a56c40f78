namespace Promotions.Training;

/// <summary>Makes parts of rows missing at the rate at which they are late in serving, so that the model has met what it will meet.</summary>
internal static class LatePartMask
{
    /// <summary>Rows with late parts are copies; the others are the given ones. Deterministic by seed and by the row's place.</summary>
    public static IReadOnlyList<TrainingRow> Apply(IReadOnlyList<TrainingRow> rows, IReadOnlyList<int[]> parts, double rate, int seed)
    {
        if (parts.Count == 0 || rate <= 0) return rows;
        var random = new Random(seed);
        var masked = new TrainingRow[rows.Count];
        for (var i = 0; i < masked.Length; i++)
        {
            masked[i] = rows[i];
            foreach (var part in parts)
            {
                if (random.NextDouble() >= rate) continue;
                if (ReferenceEquals(masked[i].Vector, rows[i].Vector)) masked[i] = rows[i] with { Vector = (float[])rows[i].Vector.Clone() };
                foreach (var feature in part) masked[i].Vector[feature] = float.NaN;
            }
        }
        return masked;
    }
}
