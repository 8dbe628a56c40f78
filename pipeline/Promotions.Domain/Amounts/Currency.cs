namespace Promotions.Domain.Amounts;

/// <summary>A currency of <see cref="Iso4217"/>.</summary>
/// <remarks><c>default</c> is no currency: it has no code and no digits, and no <see cref="Money"/> but zero is in it.</remarks>
public readonly record struct Currency
{
    private readonly string? _code;

    private Currency(string code, int digits) => (_code, Digits) = (code, digits);

    /// <summary>Upper case; empty for <c>default</c>.</summary>
    public string Code => _code ?? "";

    /// <summary>Decimal digits of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD.</summary>
    public int Digits { get; }

    public bool IsNone => _code is null;

    /// <returns>Null when the table has no such code. Codes are upper case.</returns>
    public static Currency? Find(string? code) => Iso4217.DigitsOf(code) is { } digits ? new Currency(code!, digits) : null;

    /// <exception cref="ArgumentException">The table has no such code.</exception>
    public static Currency Parse(string code) => Find(code) ?? throw new ArgumentException($"'{code}' is not a currency of ISO 4217, list of {Iso4217.ListVersion}.", nameof(code));

    public override string ToString() => Code;
}
