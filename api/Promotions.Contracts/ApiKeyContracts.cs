using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

[Description("A new bearer key. It is shown once, in the answer.")]
public sealed class ApiKeyBody
{
    [Required, StringLength(Bounds.NameMax, MinimumLength = 1)]
    public string? Name { get; set; }

    [Required, MinLength(1), Description("checkout, admin, analyst.")]
    public string?[]? Scopes { get; set; }

    [MaxLength(Bounds.ListMax), Description("The channels it may act for; all when empty.")]
    public string?[]? Channels { get; set; }

    [StringLength(Bounds.NameMax, MinimumLength = 1), Description("The person who will hold it; whoever makes it when left out. Where two people are needed, two keys of one owner are one person.")]
    public string? Owner { get; set; }

    [Range(1, 1_000_000), Description("Requests per second; the installation's default when left out.")]
    public int? RequestsPerSecond { get; set; }
}

/// <param name="Owner">Null for keys of before there were owners.</param>
/// <param name="Key">The secret itself: in the answer to the creation only.</param>
public sealed record ApiKeyAnswer(
    string Id, string Name, IReadOnlyList<string> Scopes, IReadOnlyList<string> Channels, int? RequestsPerSecond,
    [property: DataType(DataType.DateTime)] string CreatedAt, [property: DataType(DataType.DateTime)] string? RevokedAt, string? Owner, string? Key);

public sealed record ApiKeysAnswer(IReadOnlyList<ApiKeyAnswer> Keys);
