using Promotions.Domain;
using Promotions.Training;

namespace Promotions.Training.Tests;

/// <summary>Seeded rows with interactions, integer-like and continuous features, and missing values; for tests and benchmarks of the machinery, not of fraud.</summary>
internal static class SyntheticData
{
    public static DataSet Create(int seed, int rows, int features, double missingShare, double abuseLogOdds = -2.5)
    {
        var random = new Random(seed);
        var list = new List<TrainingRow>(rows);
        for (var i = 0; i < rows; i++)
        {
            var vector = new float[features];
            for (var f = 0; f < features; f++)
                vector[f] = random.NextDouble() < missingShare ? float.NaN
                    : (f % 3) switch { 0 => random.Next(30), 1 => (random.NextSingle() * 4) - 2, _ => MathF.Exp(random.NextSingle() * 8) };
            double z = abuseLogOdds;
            for (var f = 0; f < features; f++)
            {
                var v = float.IsNaN(vector[f]) ? 0.7 : (f % 3) switch { 0 => (vector[f] - 15) / 15, 1 => vector[f], _ => (Math.Log(vector[f]) - 4) / 4 };
                z += Math.Sin((f + 1) * v) * 1.5 / Math.Sqrt(1 + (f / 4.0));
                if (f > 0 && !float.IsNaN(vector[f - 1]) && vector[f - 1] > 1) z += 0.2 * v;
            }
            list.Add(new(vector, random.NextDouble() < 1 / (1 + Math.Exp(-z)), 1, new EventTime(1_700_000_000_000 + (i * 60_000L))));
        }
        return new(0x5e_ed, [.. Enumerable.Range(0, features).Select(f => $"f{f}")], "synthetic", seed, list);
    }
}
