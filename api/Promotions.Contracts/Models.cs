using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

[Description("A model file for the registry. It is read and checked before it is kept.")]
public sealed class ModelBody
{
    [Required, Description("The file's bytes as Base64.")]
    public string? FileBase64 { get; set; }

    [StringLength(Bounds.NoteMax), Description("What is to be known about it.")]
    public string? Note { get; set; }
}

/// <param name="Hash">SHA-256 of the file, as decisions name it.</param>
/// <param name="State">candidate, shadow, champion, retired.</param>
/// <param name="ProposedBy">The key that asked for its promotion, which a second person has to confirm; else null.</param>
/// <param name="Fault">Why it does not serve here although it should; else null.</param>
public sealed record ModelAnswer(
    string Hash, string State, string Layout, string Note, string RegisteredBy, [property: DataType(DataType.DateTime)] string RegisteredAt,
    string? ProposedBy, [property: DataType(DataType.DateTime)] string? ProposedAt, string? Fault);

/// <param name="Version">Of the registry: each step counts one.</param>
/// <param name="Champion">The model that decides in this process; null where none does.</param>
/// <param name="MissingBecause">Why none does.</param>
/// <param name="Challengers">Those that score every request and decide none.</param>
public sealed record ModelsAnswer(int Version, string? Champion, string? MissingBecause, IReadOnlyList<string> Challengers, IReadOnlyList<ModelAnswer> Models);
