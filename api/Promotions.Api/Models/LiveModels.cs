using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Ledger;
using Promotions.Processing.Costs;
using Promotions.Processing.Decisions;
using Promotions.Scoring;
using Promotions.Scoring.Drift;

namespace Promotions.Api.Models;

/// <summary>What the models that serve do with live traffic: drift of each, and challengers beside the champion. Fed with recorded decisions; safe from several threads.</summary>
/// <param name="features">Names in the vector's order.</param>
/// <param name="costs">Of this moment's policy.</param>
public sealed class LiveModels(ServedModels served, IReadOnlyList<string> features, Func<FraudCosts> costs, DriftLevels levels)
{
    private readonly Lock _changing = new();
    private volatile Dictionary<string, Watched> _watched = new(StringComparer.Ordinal);

    /// <summary>Count one decision for every model that scored it and serves.</summary>
    public void Observe(Decision decision)
    {
        var (watched, risk) = (Current(), decision.Proposal.Risk);
        if (risk.Vector.Length != features.Count) return;       // of an earlier layout
        var at = decision.DecidedAt.UnixMilliseconds;
        if (watched.TryGetValue(risk.ModelHash, out var champion) && champion.Layout == risk.LayoutHash) champion.Drift?.Observe(risk.Vector.Span, risk.RawScore, at);
        foreach (var score in risk.Shadow)
        {
            if (!watched.TryGetValue(score.ModelHash, out var challenger) || challenger.Layout != risk.LayoutHash) continue;
            challenger.Drift?.Observe(risk.Vector.Span, score.RawScore, at);
            challenger.Beside.Observe(decision, score);
        }
    }

    /// <summary>A label has come for this decision.</summary>
    public void Labelled(Decision decision, RecordedLabel label)
    {
        var (watched, risk) = (Current(), decision.Proposal.Risk);
        // A chargeback comes for abuse only: it says what a verdict cost, and nothing about how often a probability is right.
        var answered = label.Source == "review";
        if (answered && watched.TryGetValue(risk.ModelHash, out var champion)) champion.Drift?.Answered(risk.Probability, label.Abuse, label.At.UnixMilliseconds);
        foreach (var score in risk.Shadow)
        {
            if (!watched.TryGetValue(score.ModelHash, out var challenger)) continue;
            if (answered) challenger.Drift?.Answered(score.Probability, label.Abuse, label.At.UnixMilliseconds);
            challenger.Beside.Labelled(decision, score, label.Abuse, costs(), label.At.UnixMilliseconds);
        }
    }

    /// <summary>Reads every model that serves and turns alarms on and off.</summary>
    public IReadOnlyList<(DriftReading Reading, IReadOnlyList<DriftAlarmChange> Changes, int Holding)> Assess(EventTime now)
    {
        var found = new List<(DriftReading, IReadOnlyList<DriftAlarmChange>, int)>();
        foreach (var model in Current().Values)
        {
            if (model.Drift?.Read(now.UnixMilliseconds) is not { } reading) continue;
            lock (model.Alarms) found.Add((reading, model.Alarms.Assess(reading), model.Alarms.Holding.Count));
        }

        return found;
    }

    /// <summary>Null where the model does not serve here; a null reading where its file has no reference.</summary>
    public (DriftReading? Reading, IReadOnlyList<string> Alarms)? DriftOf(string hash, EventTime now)
    {
        if (!Current().TryGetValue(hash, out var model)) return null;
        lock (model.Alarms) return (model.Drift?.Read(now.UnixMilliseconds), model.Alarms.Holding);
    }

    /// <summary>The challenger beside the champion; null where it is none.</summary>
    public ComparisonReading? ComparisonOf(string hash, EventTime now) => Current().TryGetValue(hash, out var model) ? model.Beside.Read(now.UnixMilliseconds) : null;

    /// <summary>What is watched follows what serves: a new model begins at nothing, one that left is forgotten.</summary>
    private Dictionary<string, Watched> Current()
    {
        var now = served.Current;
        var watched = _watched;
        if (Same(watched, now)) return watched;
        lock (_changing)
        {
            var next = new Dictionary<string, Watched>(StringComparer.Ordinal);
            foreach (var scorer in Serving(now)) next[scorer.ModelHash] = _watched.GetValueOrDefault(scorer.ModelHash) ?? new(scorer, features, levels);
            return _watched = next;
        }
    }

    private static bool Same(Dictionary<string, Watched> watched, ModelSet now)
    {
        var count = 0;
        if (now.Champion is { } champion && !watched.ContainsKey(champion.ModelHash)) return false;
        if (now.Champion is not null) count++;
        foreach (var challenger in now.Challengers)
        {
            if (!watched.ContainsKey(challenger.ModelHash)) return false;
            count++;
        }

        return count == watched.Count;
    }

    private static IEnumerable<IScorer> Serving(ModelSet now) => now.Champion is { } champion ? now.Challengers.Prepend(champion) : now.Challengers;

    private sealed class Watched(IScorer scorer, IReadOnlyList<string> features, DriftLevels levels)
    {
        public ulong Layout { get; } = scorer.LayoutHash;
        public DriftMonitor? Drift { get; } = scorer.Reference is { } reference ? new(scorer.ModelHash, reference, features) : null;
        public DriftAlarms Alarms { get; } = new(levels);
        public ShadowComparison Beside { get; } = new();
    }
}
