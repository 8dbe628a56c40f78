using System.Collections.Frozen;
using System.Text.Json;

namespace Promotions.Api.Problems;

/// <summary>The stable names of problems.</summary>
public static class ProblemTypes
{
    /// <summary>A name, not an address: it never moves, and nobody has to host it.</summary>
    public const string Prefix = "urn:promotions:problem:";

    private static readonly FrozenDictionary<ProblemKind, (string Code, string Type)> Names = Enum.GetValues<ProblemKind>().ToFrozenDictionary(kind => kind, Name);

    public static string CodeOf(ProblemKind kind) => Names[kind].Code;
    public static string TypeOf(ProblemKind kind) => Names[kind].Type;

    private static (string Code, string Type) Name(ProblemKind kind)
    {
        var code = JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString());
        return (code, Prefix + code);
    }
}
