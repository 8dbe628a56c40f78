using System.Globalization;

namespace Promotions.Domain.Amounts;

/// <summary>An exact amount in one currency.</summary>
/// <remarks>Unit: minor units (cents for EUR, yen for JPY). Range: Int64, checked: overflow throws <see cref="OverflowException"/>.
/// <c>default</c> is zero in no currency and adds only to itself.</remarks>
public readonly record struct Money
{
    private Money(long minorUnits, Currency currency) => (MinorUnits, Currency) = (minorUnits, currency);

    public long MinorUnits { get; }
    public Currency Currency { get; }

    /// <exception cref="ArgumentException">No currency is named.</exception>
    public static Money FromMinorUnits(long minorUnits, Currency currency) =>
        currency.IsNone ? throw new ArgumentException("Name the currency.", nameof(currency)) : new(minorUnits, currency);

    /// <exception cref="InvalidOperationException">Two currencies: that needs an exchange rate, which is not an addition.</exception>
    public static Money operator +(Money left, Money right) => new(checked(left.MinorUnits + right.MinorUnits), Same(left, right));

    /// <exception cref="InvalidOperationException">Two currencies.</exception>
    public static Money operator -(Money left, Money right) => new(checked(left.MinorUnits - right.MinorUnits), Same(left, right));

    public static Money Add(Money left, Money right) => left + right;
    public static Money Subtract(Money left, Money right) => left - right;

    /// <summary>For people and logs: <c>12.50 EUR</c>, <c>1250 JPY</c>. Never parsed back.</summary>
    public override string ToString()
    {
        if (Currency.IsNone) return "0";
        decimal scale = 1;
        for (var digit = 0; digit < Currency.Digits; digit++) scale *= 10;
        return (MinorUnits / scale).ToString("F" + Currency.Digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) + " " + Currency.Code;
    }

    private static Currency Same(Money left, Money right) => left.Currency == right.Currency
        ? left.Currency
        : throw new InvalidOperationException($"'{left.Currency}' and '{right.Currency}' do not mix without an exchange rate.");
}
