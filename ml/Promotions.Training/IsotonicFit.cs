using Promotions.Scoring;

namespace Promotions.Training;

/// <summary>Isotonic calibration: the non-decreasing probabilities of least weighted squares (Ayer et al. 1955, pool adjacent violators), straight lines between their blocks.</summary>
public static class IsotonicFit
{
    /// <summary>Fits on rows that the trees did not learn from. Equal raw scores are averaged first.</summary>
    /// <exception cref="ArgumentException">There are no rows, or lengths differ.</exception>
    public static Calibration Fit(ReadOnlySpan<double> raw, ReadOnlySpan<double> target, ReadOnlySpan<float> weight)
    {
        if (raw.IsEmpty || raw.Length != target.Length || raw.Length != weight.Length) throw new ArgumentException($"{raw.Length} scores, {target.Length} targets and {weight.Length} weights are nothing to fit.", nameof(raw));
        var order = new int[raw.Length];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        var scores = raw.ToArray();
        Array.Sort(scores, order);

        var blocks = new List<Block>();
        for (var i = 0; i < order.Length;)
        {
            var block = new Block(scores[i], scores[i], 0, 0);
            for (; i < order.Length && scores[i] == block.First; i++) block = block with { Sum = block.Sum + (weight[order[i]] * target[order[i]]), Weight = block.Weight + weight[order[i]] };
            while (blocks.Count > 0 && blocks[^1].Mean >= block.Mean)
            {
                block = blocks[^1].With(block);
                blocks.RemoveAt(blocks.Count - 1);
            }

            blocks.Add(block);
        }

        var (points, values) = (new List<double>(), new List<double>());
        foreach (var block in blocks)
        {
            points.Add(block.First);
            values.Add(block.Mean);
            if (block.Last <= block.First) continue;
            points.Add(block.Last);
            values.Add(block.Mean);
        }

        return Calibration.Isotonic([.. points], [.. values]);
    }

    /// <summary>Scores next to each other that share a value.</summary>
    private readonly record struct Block(double First, double Last, double Sum, double Weight)
    {
        public double Mean => Sum / Weight;
        public Block With(Block next) => new(First, next.Last, Sum + next.Sum, Weight + next.Weight);
    }
}
