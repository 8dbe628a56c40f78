namespace Promotions.Scoring.Drift;

/// <summary>From when on drift is an alarm, and below what it ends: two levels each, so that a number that trembles around one does not ring all day.</summary>
/// <param name="Psi">Of score or feature. Default: from 0.25, which by custom is another population, until below 0.20.</param>
/// <param name="Ks">Of score or feature. Default: from 0.20 until below 0.15.</param>
/// <param name="Calibration">How far probabilities lie from reviewers' answers. Default: from 0.10 until below 0.07.</param>
/// <param name="RowsMin">With fewer attempts in the window nothing begins and nothing ends. Default 1,000, where chance alone makes a PSI of about 0.01.</param>
/// <param name="AnswersMin">The same for calibration. Default 100.</param>
public sealed record DriftLevels(DriftLevel Psi, DriftLevel Ks, DriftLevel Calibration, long RowsMin, long AnswersMin)
{
    public static readonly DriftLevels Default = new(new(0.25, 0.20), new(0.20, 0.15), new(0.10, 0.07), 1_000, 100);
}

/// <param name="From">It begins here.</param>
/// <param name="Below">It ends below this; less than <paramref name="From"/>.</param>
public readonly record struct DriftLevel(double From, double Below)
{
    public bool Holds(double value, bool already) => value >= (already ? Below : From);
}

/// <param name="What"><c>psi score</c>, <c>ks device_accounts_24h</c>, <c>calibration</c>: the measure, and of which number.</param>
/// <param name="Began">False: it ended.</param>
public sealed record DriftAlarmChange(string What, bool Began, double Value);

/// <summary>Which alarms of one model hold. Not safe from several threads.</summary>
public sealed class DriftAlarms(DriftLevels levels)
{
    private readonly SortedSet<string> _holding = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Holding => [.. _holding];

    /// <returns>What began or ended with this reading.</returns>
    public IReadOnlyList<DriftAlarmChange> Assess(DriftReading reading)
    {
        var changes = new List<DriftAlarmChange>();
        if (reading.Rows >= levels.RowsMin)
        {
            foreach (var measure in reading.Measures)
            {
                Turn("psi " + measure.Name, levels.Psi, measure.Psi);
                Turn("ks " + measure.Name, levels.Ks, measure.Ks);
            }
        }

        if (reading.Calibration.Answers >= levels.AnswersMin) Turn("calibration", levels.Calibration, reading.Calibration.Gap);
        return changes;

        void Turn(string what, DriftLevel level, double value)
        {
            var already = _holding.Contains(what);
            var holds = level.Holds(value, already);
            if (holds == already) return;
            if (holds) _holding.Add(what);
            else _holding.Remove(what);
            changes.Add(new(what, holds, value));
        }
    }
}
