using Promotions.Api.Keys;
using Promotions.Contracts;
using Promotions.Domain;
using Promotions.Processing.Decisions;
using Promotions.Scoring;

namespace Promotions.Api.Models;

/// <summary>What the HTTP calls and the dashboard say about models.</summary>
public sealed class ModelDesk(ModelRegistry registry, ServedModels served, LiveModels live, ApiKeys keys, TimeProvider time) : IModelDesk
{
    public ModelsAnswer Read()
    {
        var (book, now) = (registry.Current, served.Current);
        return new(book.Version, now.Champion?.ModelHash, now.MissingBecause, [.. now.Challengers.Select(challenger => challenger.ModelHash)], [.. book.Models.Select(Tell)]);
    }

    public ModelAnswer Tell(RegisteredModel model) => new(
        model.Hash, model.State.ToString().ToLowerInvariant(), model.Layout, model.Note, model.RegisteredBy, new EventTime(model.RegisteredAt).ToString(),
        model.ProposedBy, model.ProposedAt is { } at ? new EventTime(at).ToString() : null, served.Current.Faults.GetValueOrDefault(model.Hash));

    public DriftAnswer? Drift(string hash)
    {
        if (live.DriftOf(hash, EventTime.Now(time)) is not { } drift) return null;
        if (drift.Reading is not { } reading)
            return new(hash, 0, "Its file has no reference to compare with. promotions-ml reference measures one; that makes a new file, to be registered.", [], [], 0, 0, []);
        return new(
            hash, reading.Rows, null, drift.Alarms, [.. reading.Measures.Select(one => new DriftNumberAnswer(one.Name, one.Psi, one.Ks, one.Edges, one.Expected, one.Actual))],
            reading.Calibration.Answers, reading.Calibration.Gap, [.. reading.Calibration.Bins.Select(bin => new CalibrationBinAnswer(bin.From, bin.Answers, bin.Predicted, bin.Seen))]);
    }

    public ComparisonAnswer Compare()
    {
        var (set, now) = (served.Current, EventTime.Now(time));
        var challengers = new List<ChallengerAnswer>();
        foreach (var challenger in set.Challengers)
        {
            if (live.ComparisonOf(challenger.ModelHash, now) is not { } beside) continue;
            challengers.Add(new(
                challenger.ModelHash, beside.Attempts, beside.Faults, double.IsNaN(beside.Agreement) ? null : beside.Agreement, beside.Verdicts, beside.ChampionBlocked, beside.ChallengerBlocked,
                beside.ChampionBlockedValue, beside.ChallengerBlockedValue, beside.Labelled, beside.ChampionCost, beside.ChallengerCost));
        }

        return new(set.Champion?.ModelHash, challengers);
    }

    public async Task<DeskAnswer> StepAsync(string hash, string step, string keyId, CancellationToken cancellationToken)
    {
        if (await keys.FindLiveAsync(keyId) is not { IsAdmin: true } key) return new("Your key is no longer an admin's.");
        if (key.Record.Channels.Count > 0) return new("A model decides for every channel, and your key is for some.");
        try
        {
            var (_, refusal) = await (step switch
            {
                "shadow" => registry.ShadowAsync(hash, key.Actor, cancellationToken),
                "promote" => registry.PromoteAsync(hash, key.Actor, key.Person, cancellationToken),
                "retire" => registry.RetireAsync(hash, key.Actor, cancellationToken),
                _ => throw new ArgumentOutOfRangeException(nameof(step), step, "There are shadow, promote and retire."),
            });
            return refusal switch
            {
                ModelRefusal.None => DeskAnswer.Done,
                ModelRefusal.Unknown => new("No such model is registered."),
                ModelRefusal.SamePerson => new("You proposed this promotion, so somebody else has to confirm it: with a key of another owner, within seven days."),
                _ => new(Sentence(refusal)),
            };
        }
        catch (ModelFileException e)
        {
            return new(e.Message);
        }
    }

    /// <summary>Why a model's state does not allow a step.</summary>
    public static string Sentence(ModelRefusal refusal) => refusal switch
    {
        ModelRefusal.TooManyChallengers => $"{DecisionInputs.ChallengersMax} models score in shadow already: retire one first.",
        ModelRefusal.TooMany => $"The registry holds {ModelBook.ModelsMax} models and takes no more.",
        ModelRefusal.WrongState => "Only a model in shadow can be promoted, and the champion leaves by another's promotion.",
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "Give it a sentence."),
    };
}
