using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Features;

namespace Promotions.Training;

/// <summary>One labelled vector.</summary>
/// <param name="Vector">In the layout's order; NaN is missing.</param>
/// <param name="Abuse">The label, as it was known when the data set was made.</param>
/// <param name="Weight">Above 0; 1 for an ordinary row.</param>
/// <param name="At">Event time of the request: rows are split by it, never by chance.</param>
/// <param name="Entities">Keys of the entities that the request names, in the order of <see cref="Promotions.Features.Entities.Kinds"/>; 0 where it names none, or several.
/// Null where they are not known: the population is then counted by attempts.</param>
/// <param name="Group">Who acted, where the data set's maker knows: a kind of abuse, or a group of honest people that begins with <c>honest</c>. For reports; nobody learns from it.</param>
public readonly record struct TrainingRow(float[] Vector, bool Abuse, float Weight, EventTime At, ulong[]? Entities = null, string? Group = null)
{
    /// <summary>What <see cref="Entities"/> holds for an attempt.</summary>
    /// <param name="before">Put before each name, where names of several shops come together.</param>
    internal static ulong[] KeysOf(AttemptEntities entities, string before = "") =>
        [.. Promotions.Features.Entities.Kinds.Select(kind => (kind is EntityKind.Coupon && entities.Codes.Count != 1) || Promotions.Features.Entities.NameOf(entities, kind) is not { } name ? 0 : EntityKey.OtherOf(before + name))];
}

/// <summary>Labelled vectors of one feature layout.</summary>
/// <param name="TrainedOn">What the rows are, in words, for the training card.</param>
/// <param name="Seed">Of the simulated data; 0 where it is real.</param>
public sealed record DataSet(ulong LayoutHash, string[] Features, string TrainedOn, long Seed, IReadOnlyList<TrainingRow> Rows)
{
    /// <exception cref="InvalidDataException">Names what makes the rows unfit to learn from.</exception>
    public void Validate()
    {
        if (Rows.Count == 0) throw new InvalidDataException("The data set has no rows.");
        var seen = new Dictionary<(EventTime At, ulong Vector), int>(Rows.Count);
        for (var i = 0; i < Rows.Count; i++)
        {
            var row = Rows[i];
            if (!seen.TryAdd((row.At, FeatureVector.Hash(row.Vector)), i)) throw new InvalidDataException($"Row {i} repeats row {seen[(row.At, FeatureVector.Hash(row.Vector))]}: the same time and values. A row counts once.");
            if (row.Vector.Length != Features.Length) throw new InvalidDataException($"Row {i} has {row.Vector.Length} values; the layout has {Features.Length} features.");
            if (!(row.Weight > 0) || !float.IsFinite(row.Weight)) throw new InvalidDataException($"Row {i} has the weight {row.Weight}.");
            if ((row.Entities is null) != (Rows[0].Entities is null)) throw new InvalidDataException($"Row {i} {(row.Entities is null ? "does not name" : "names")} its entities, unlike the first.");
            foreach (var value in row.Vector)
                if (float.IsInfinity(value)) throw new InvalidDataException($"Row {i} has an infinite value; missing is NaN.");
        }
    }
}
