using Promotions.Processing.Decisions;
using Promotions.Scoring;

namespace Promotions.Api.Models;

/// <summary>What serves at one moment. Swapped as a whole.</summary>
/// <param name="Champion">Null where there is none; then <paramref name="MissingBecause"/> says why and each channel's fallback decides.</param>
/// <param name="Faults">By hash: models that the registry names and that could not be loaded here.</param>
public sealed record ModelSet(IScorer? Champion, string? MissingBecause, IReadOnlyList<IScorer> Challengers, IReadOnlyDictionary<string, string> Faults);

/// <summary>The registry's champion and challengers as scorers in memory. Where the registry has no champion the one that comes with the program serves; where a new one cannot be loaded
/// the one before goes on, and the fault is told.</summary>
public sealed class ServedModels
{
    /// <summary>Earlier champions that somebody asked to explain a decision of.</summary>
    private const int EarlierMax = 4;

    private readonly ModelRegistry _registry;
    private readonly ModelSet _shipped;
    private readonly Lock _changing = new();
    private readonly Dictionary<string, IScorer> _earlier = new(StringComparer.Ordinal);
    private volatile ModelSet _current;

    /// <param name="shipped">The program's own model, or null.</param>
    /// <param name="missingBecause">Why there is no such model.</param>
    public ServedModels(ModelRegistry registry, IScorer? shipped, string? missingBecause)
    {
        _registry = registry;
        _current = _shipped = new(shipped, missingBecause, [], new Dictionary<string, string>());
        registry.Changed += Update;
        Update(registry.Current);
    }

    public ModelSet Current => _current;

    /// <summary>This moment's models with the policy, the campaigns and the accounts' standings.</summary>
    public DecisionInputs Inputs(FraudPolicy policy, Domain.Campaigns.ICampaignSnapshot campaigns, AccountStandings accounts)
    {
        var now = _current;
        return new(now.Champion, now.MissingBecause, policy, campaigns) { Challengers = now.Challengers, Accounts = accounts };
    }

    /// <summary>The model with this hash, for explaining what it decided; null when neither the program nor the registry has it.</summary>
    public IScorer? Find(string hash)
    {
        var now = _current;
        if (now.Champion?.ModelHash == hash) return now.Champion;
        if (_shipped.Champion?.ModelHash == hash) return _shipped.Champion;
        if (now.Challengers.FirstOrDefault(challenger => challenger.ModelHash == hash) is { } challenger) return challenger;
        if (_registry.Current.Find(hash) is null) return null;
        lock (_changing)
        {
            if (_earlier.TryGetValue(hash, out var known)) return known;
            try
            {
                var loaded = _registry.Load(hash);
                if (_earlier.Count == EarlierMax) _earlier.Clear();
                return _earlier[hash] = loaded;
            }
            catch (ModelFileException)
            {
                return null;    // of an earlier layout: the explanation says that the model is not loaded here
            }
        }
    }

    private void Update(ModelBook book)
    {
        lock (_changing)
        {
            var before = _current;
            var faults = new Dictionary<string, string>(StringComparer.Ordinal);
            var challengers = new List<IScorer>();
            foreach (var model in book.Challengers)
                if (Loaded(model.Hash) is { } challenger) challengers.Add(challenger);
            if (book.Champion is not { } champion) _current = _shipped with { Challengers = challengers, Faults = faults };
            else if (Loaded(champion.Hash) is { } scorer) _current = new(scorer, null, challengers, faults);
            else _current = before with { Challengers = challengers, Faults = faults };

            IScorer? Loaded(string hash)
            {
                if (before.Champion?.ModelHash == hash) return before.Champion;
                if (before.Challengers.FirstOrDefault(one => one.ModelHash == hash) is { } known) return known;
                try
                {
                    return _registry.Load(hash);
                }
                catch (ModelFileException e)
                {
                    faults[hash] = e.Message;
                    return null;
                }
            }
        }
    }
}
