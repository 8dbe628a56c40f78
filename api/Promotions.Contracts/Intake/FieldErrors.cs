using System.Globalization;

namespace Promotions.Contracts.Intake;

/// <summary>Where in the body a value stands. Becomes text only when something is wrong with it.</summary>
/// <param name="Parent">A pointer, or empty for the body.</param>
/// <param name="Index">Of the element in the parent's array; -1 where the parent is an object.</param>
/// <param name="Name">The member; empty for the element itself.</param>
public readonly record struct At(string Parent, int Index, string Name)
{
    public static implicit operator At(string pointer) => new(pointer, -1, "");

    public override string ToString()
    {
        var element = Index < 0 ? Parent : string.Create(CultureInfo.InvariantCulture, $"{Parent}/{Index}");
        return Name.Length == 0 ? element : $"{element}/{Name}";
    }
}

/// <summary>Everything that is wrong with one body, up to a bound, in the body's order.</summary>
public sealed class FieldErrors
{
    /// <summary>Errors reported at once; a body of 64 KiB can hold thousands.</summary>
    public const int ReportedMax = 50;

    private List<FieldError>? _errors;

    public bool Any => _errors is not null;
    public IReadOnlyList<FieldError> List => _errors ?? [];

    public void Add(in At at, string code, string detail)
    {
        _errors ??= [];
        if (_errors.Count < ReportedMax) _errors.Add(new(at.ToString(), code, detail));
    }
}
