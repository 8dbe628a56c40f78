using Promotions.Domain;

namespace Promotions.Api.Models;

/// <summary>Where a model stands in its life.</summary>
public enum ModelState : byte
{
    /// <summary>Not set; never written.</summary>
    None = 0,
    /// <summary>Registered: it was read and fits, and scores nothing.</summary>
    Candidate = 1,
    /// <summary>A challenger: it scores every request and decides none.</summary>
    Shadow = 2,
    /// <summary>It decides.</summary>
    Champion = 3,
    /// <summary>It serves no more; its file is kept, so that its decisions can be explained.</summary>
    Retired = 4,
}

/// <summary>One model of the registry.</summary>
/// <param name="Hash">SHA-256 of its file, lower-case hex: the name that decisions record.</param>
/// <param name="Layout">The feature layout that it was made for, 16 hexadecimal digits.</param>
/// <param name="Note">What whoever registered it says about it.</param>
/// <param name="ProposedBy">The key that asked for its promotion, while a second person is waited for; else null.</param>
/// <param name="ProposedPerson">Who holds that key.</param>
public sealed record RegisteredModel(string Hash, string Layout, string Note, ModelState State, string RegisteredBy, long RegisteredAt, string? ProposedBy = null, long? ProposedAt = null, string? ProposedPerson = null);

/// <summary>One step in a model's life: what the audit log's leaf of this version stands for.</summary>
/// <param name="What"><c>register</c>, <c>shadow</c>, <c>propose</c>, <c>promote</c> or <c>retire</c>.</param>
public sealed record ModelStep(string What, string Hash, string By, long At);

/// <summary>Why a step was not taken.</summary>
public enum ModelRefusal : byte
{
    None = 0,
    /// <summary>No model with this hash is registered.</summary>
    Unknown = 1,
    /// <summary>Its state does not allow the step: only a shadow can be promoted, and the champion is retired by promoting another.</summary>
    WrongState = 2,
    /// <summary>As many challengers as the budget allows score already.</summary>
    TooManyChallengers = 3,
    /// <summary>Who proposed a promotion cannot be the one who confirms it.</summary>
    SamePerson = 4,
    /// <summary>The registry is full of models that were never retired.</summary>
    TooMany = 5,
}

/// <summary>The whole registry at one version. Steps are pure: they give the next version, or say why not.</summary>
/// <param name="Version">Counts steps; 0 is the empty registry.</param>
/// <param name="Step">The step that led here; null at version 0.</param>
public sealed record ModelBook(int Version, ModelStep? Step, IReadOnlyList<RegisteredModel> Models)
{
    /// <summary>A bound, so that the document stays small; one a week for four years.</summary>
    public const int ModelsMax = 200;

    /// <summary>A proposal that nobody confirmed for so long is void.</summary>
    public static readonly TimeSpan ProposalFor = TimeSpan.FromDays(7);

    public static readonly ModelBook Empty = new(0, null, []);

    public RegisteredModel? Champion => Models.FirstOrDefault(model => model.State is ModelState.Champion);
    public IEnumerable<RegisteredModel> Challengers => Models.Where(model => model.State is ModelState.Shadow);
    public RegisteredModel? Find(string hash) => Models.FirstOrDefault(model => model.Hash == hash);

    /// <summary>The same file again is the same model: nothing changes.</summary>
    public (ModelBook Next, ModelRefusal Refusal) Register(string hash, string layout, string note, string by, EventTime at)
    {
        if (Find(hash) is not null) return (this, ModelRefusal.None);
        if (Models.Count >= ModelsMax) return (this, ModelRefusal.TooMany);
        return (new(Version + 1, new("register", hash, by, at.UnixMilliseconds), [.. Models, new(hash, layout, note, ModelState.Candidate, by, at.UnixMilliseconds)]), ModelRefusal.None);
    }

    /// <summary>From candidate or retired: the way back after a bad promotion is the way forward of any other.</summary>
    public (ModelBook Next, ModelRefusal Refusal) Shadow(string hash, int challengersMax, string by, EventTime at)
    {
        if (Find(hash) is not { } model) return (this, ModelRefusal.Unknown);
        if (model.State is ModelState.Shadow) return (this, ModelRefusal.None);
        if (model.State is ModelState.Champion) return (this, ModelRefusal.WrongState);
        if (Challengers.Count() >= challengersMax) return (this, ModelRefusal.TooManyChallengers);
        return (With("shadow", by, at, model with { State = ModelState.Shadow }), ModelRefusal.None);
    }

    /// <summary>The first person proposes, another one confirms. A proposal ends with its time, with the model's state, and when the champion that it meant to replace is replaced.</summary>
    /// <param name="person">Who holds the key: two keys of one owner are one person.</param>
    public (ModelBook Next, ModelRefusal Refusal) Promote(string hash, string by, string person, EventTime at)
    {
        if (Find(hash) is not { } model) return (this, ModelRefusal.Unknown);
        if (model.State is not ModelState.Shadow) return (this, model.State is ModelState.Champion ? ModelRefusal.None : ModelRefusal.WrongState);
        var open = model.ProposedAt is { } since && at.UnixMilliseconds - since < (long)ProposalFor.TotalMilliseconds;
        if (!open) return (With("propose", by, at, model with { ProposedBy = by, ProposedAt = at.UnixMilliseconds, ProposedPerson = person }), ModelRefusal.None);
        if (model.ProposedBy == by || (model.ProposedPerson ?? model.ProposedBy) == person) return (this, ModelRefusal.SamePerson);
        var models = Models.Select(other => Withdrawn(other) with
        {
            State = other.Hash == hash ? ModelState.Champion : other.State is ModelState.Champion ? ModelState.Retired : other.State,
        });
        return (new(Version + 1, new("promote", hash, by, at.UnixMilliseconds), [.. models]), ModelRefusal.None);
    }

    public (ModelBook Next, ModelRefusal Refusal) Retire(string hash, string by, EventTime at)
    {
        if (Find(hash) is not { } model) return (this, ModelRefusal.Unknown);
        if (model.State is ModelState.Retired) return (this, ModelRefusal.None);
        if (model.State is ModelState.Champion) return (this, ModelRefusal.WrongState);
        return (With("retire", by, at, Withdrawn(model) with { State = ModelState.Retired }), ModelRefusal.None);
    }

    private ModelBook With(string what, string by, EventTime at, RegisteredModel changed) =>
        new(Version + 1, new(what, changed.Hash, by, at.UnixMilliseconds), [.. Models.Select(model => model.Hash == changed.Hash ? changed : model)]);

    private static RegisteredModel Withdrawn(RegisteredModel model) => model with { ProposedBy = null, ProposedAt = null, ProposedPerson = null };
}
