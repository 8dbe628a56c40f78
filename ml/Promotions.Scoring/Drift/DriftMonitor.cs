using System.Numerics;
using System.Runtime.Intrinsics;

namespace Promotions.Scoring.Drift;

/// <summary>One number, before and now.</summary>
/// <param name="Name">A feature's, or <c>score</c>.</param>
/// <param name="Psi">Population stability index; bins of missing values included.</param>
/// <param name="Ks">The largest gap of the two distribution functions, by bins.</param>
/// <param name="Edges">As in the reference.</param>
/// <param name="Expected">Counts of the reference: missing, then the bins.</param>
/// <param name="Actual">Counts of the window: the same bins.</param>
public sealed record DriftMeasure(string Name, double Psi, double Ks, double[] Edges, long[] Expected, long[] Actual);

/// <summary>Where reviewers looked: what the model said, and what they found. One bin for each tenth of probability that has answers.</summary>
/// <param name="Predicted">Mean probability.</param>
/// <param name="Seen">Share that reviewers called abuse.</param>
public sealed record CalibrationBin(double From, long Answers, double Predicted, double Seen);

/// <param name="Answers">Reviewers' answers of the last 28 days.</param>
/// <param name="Gap">Mean over answers of how far a bin's prediction lies from what was seen; 0 without answers.</param>
public sealed record CalibrationReading(long Answers, double Gap, IReadOnlyList<CalibrationBin> Bins);

/// <param name="Rows">Attempts in the window.</param>
/// <param name="Measures">The score first, then features as in the vector. Empty while the window is.</param>
public sealed record DriftReading(string ModelHash, long Rows, IReadOnlyList<DriftMeasure> Measures, CalibrationReading Calibration);

/// <summary>Compares one model's live traffic with its reference over the last 24 hours, and its probabilities with reviewers' answers over the last 28 days.</summary>
/// <remarks>A whole day, so that night is not compared with a reference of days and nights. Bounded memory, about 0.5 MB for 150 features; observing allocates nothing. Safe from several threads.</remarks>
public sealed class DriftMonitor
{
    private const int Lanes = 16;
    private const int BinsPerNumber = Lanes + 1;            // missing, and one more than edges
    private const int Tenths = 10;
    private const int CountersPerTenth = 3;                 // answers, predicted in millionths, abuse
    private const long Millionths = 1_000_000;
    private const long HourMs = 3_600_000;

    private readonly Lock _lock = new();
    private readonly string _modelHash;
    private readonly IReadOnlyList<string> _features;
    private readonly ModelReference _reference;
    private readonly int[] _index;                          // place in the vector of each compared feature
    private readonly float[] _edges;                        // the same order, 16 each, padded with infinity
    private readonly double[] _scoreEdges;
    private readonly SlidingCounts _window;
    private readonly SlidingCounts _answers = new(28, 24 * HourMs, Tenths * CountersPerTenth);

    /// <param name="features">Names in the vector's order.</param>
    public DriftMonitor(string modelHash, ModelReference reference, IReadOnlyList<string> features)
    {
        (_modelHash, _reference, _features) = (modelHash, reference, features);
        _index = [.. Enumerable.Range(0, features.Count).Where(f => reference.Features.ContainsKey(features[f]))];
        _edges = new float[_index.Length * Lanes];
        Array.Fill(_edges, float.PositiveInfinity);
        for (var i = 0; i < _index.Length; i++)
        {
            var edges = reference.Features[features[_index[i]]].Edges;
            for (var e = 0; e < edges.Length; e++) _edges[(i * Lanes) + e] = RoundedDown(edges[e]);
        }

        _scoreEdges = reference.Score.Edges;
        _window = new(24, HourMs, (_index.Length + 1) * BinsPerNumber);
    }

    /// <summary>Count one attempt.</summary>
    /// <param name="rawScore">The model's; NaN where it gave none.</param>
    /// <param name="at">Unix time, ms.</param>
    public void Observe(ReadOnlySpan<float> vector, double rawScore, long at)
    {
        lock (_lock)
        {
            var counts = _window.At(at);
            if (counts.IsEmpty) return;
            counts[double.IsNaN(rawScore) ? 0 : 1 + Bins.BinOf(_scoreEdges, rawScore)]++;
            for (var i = 0; i < _index.Length; i++)
            {
                var value = vector[_index[i]];
                var bin = 0;
                if (!float.IsNaN(value)) bin = 1 + BitOperations.PopCount(Vector512.LessThan(Vector512.Create<float>(_edges.AsSpan(i * Lanes, Lanes)), Vector512.Create(value)).ExtractMostSignificantBits());
                counts[((i + 1) * BinsPerNumber) + bin]++;
            }
        }
    }

    /// <summary>Count one reviewer's answer. Other labels come for abuse only, and would make every model look too mild.</summary>
    /// <param name="probability">What the model said; NaN is not counted.</param>
    public void Answered(double probability, bool abuse, long at)
    {
        if (double.IsNaN(probability)) return;
        lock (_lock)
        {
            var counts = _answers.At(at);
            if (counts.IsEmpty) return;
            var tenth = Math.Min(Tenths - 1, (int)(probability * Tenths)) * CountersPerTenth;
            counts[tenth]++;
            counts[tenth + 1] += (long)(probability * Millionths);
            if (abuse) counts[tenth + 2]++;
        }
    }

    /// <param name="now">Unix time, ms.</param>
    public DriftReading Read(long now)
    {
        var sums = new long[(_index.Length + 1) * BinsPerNumber];
        var answers = new long[Tenths * CountersPerTenth];
        lock (_lock)
        {
            _window.Sum(now, sums);
            _answers.Sum(now, answers);
        }

        var rows = sums.AsSpan(0, BinsPerNumber).ToArray().Sum();
        var measures = new List<DriftMeasure>(_index.Length + 1);
        if (rows > 0)
        {
            measures.Add(Measured("score", _reference.Score, 0));
            for (var i = 0; i < _index.Length; i++) measures.Add(Measured(_features[_index[i]], _reference.Features[_features[_index[i]]], i + 1));
        }

        return new(_modelHash, rows, measures, CalibrationOf(answers));

        DriftMeasure Measured(string name, Bins reference, int number)
        {
            var (expected, actual) = (reference.WithMissing(), sums.AsSpan(number * BinsPerNumber, reference.Counts.Length + 1).ToArray());
            return new(name, PopulationStability.Of(expected, actual), KolmogorovSmirnov.OfBins(expected, actual), reference.Edges, expected, actual);
        }
    }

    private static CalibrationReading CalibrationOf(long[] answers)
    {
        var bins = new List<CalibrationBin>(Tenths);
        for (var tenth = 0; tenth < Tenths; tenth++)
        {
            var (count, predicted, abuse) = (answers[tenth * CountersPerTenth], answers[(tenth * CountersPerTenth) + 1], answers[(tenth * CountersPerTenth) + 2]);
            if (count > 0) bins.Add(new((double)tenth / Tenths, count, (double)predicted / Millionths / count, (double)abuse / count));
        }

        var all = bins.Sum(bin => bin.Answers);
        return new(all, all == 0 ? 0 : bins.Sum(bin => bin.Answers * Math.Abs(bin.Predicted - bin.Seen)) / all, bins);
    }

    /// <summary>The greatest float that is no greater: a float lies above the edge exactly where it lies above this.</summary>
    private static float RoundedDown(double edge)
    {
        var near = (float)edge;
        return near > edge ? MathF.BitDecrement(near) : near;
    }
}
