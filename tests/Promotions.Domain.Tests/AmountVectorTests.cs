using System.Globalization;
using System.Text.Json;
using CsCheck;
using Promotions.Domain.Amounts;

namespace Promotions.Domain.Tests;

/// <summary>Amounts against vectors computed by other libraries; each file names its source.</summary>
public class AmountVectorTests
{
    private static readonly (string Column, RoundingMode Mode)[] Modes =
    [
        ("half_even", RoundingMode.HalfEven), ("half_odd", RoundingMode.HalfOdd), ("half_up", RoundingMode.HalfUp), ("half_down", RoundingMode.HalfDown),
        ("half_away_from_zero", RoundingMode.HalfAwayFromZero), ("half_toward_zero", RoundingMode.HalfTowardZero), ("up", RoundingMode.Up), ("down", RoundingMode.Down),
    ];

    [Fact]
    public void Every_currency_has_the_digits_of_iso_4217_and_metals_are_none()
    {
        var seen = 0;
        foreach (var row in Read("currencies.json").GetProperty("cases").EnumerateArray())
        {
            int? digits = row.GetProperty("digits") is { ValueKind: JsonValueKind.Number } number ? number.GetInt32() : null;
            Assert.Equal(digits, Iso4217.DigitsOf(row.GetProperty("code").GetString()));
            seen += digits is null ? 0 : 1;
        }

        Assert.Equal(seen, Iso4217.Codes.Count);
    }

    [Fact]
    public void Rounding_follows_the_vectors_in_all_eight_modes()
    {
        foreach (var row in Read("rounding.json").GetProperty("cases").EnumerateArray())
        {
            Int128 denominator = 1;
            for (var digit = 0; digit < row.GetProperty("drop_digits").GetInt32(); digit++) denominator *= 10;
            foreach (var (column, mode) in Modes)
                Assert.Equal(row.GetProperty(column).GetInt64(), Rounding.Divide(row.GetProperty("amount").GetInt64(), denominator, mode));
        }
    }

    [Fact]
    public void Allocation_follows_the_largest_remainder_vectors()
    {
        var rows = Read("allocation.json").GetProperty("cases").EnumerateArray().ToArray();
        Assert.NotEmpty(rows);
        foreach (var row in rows)
        {
            var weights = row.GetProperty("ratios").EnumerateArray().Select(Number).ToArray();
            var parts = new long[weights.Length];
            Allocation.LargestRemainder(Number(row.GetProperty("amount")), weights, parts);
            Assert.Equal(row.GetProperty("largest_remainder").EnumerateArray().Select(Number), parts);
        }
    }

    [Fact]
    public void Allocation_refuses_what_the_reference_refuses()
    {
        foreach (var row in Read("allocation.json").GetProperty("refused").EnumerateArray())
        {
            var weights = row.GetProperty("ratios").EnumerateArray().Select(Number).ToArray();
            Assert.Throws<ArgumentException>(() => Allocation.LargestRemainder(Number(row.GetProperty("amount")), weights, new long[weights.Length]));
        }
    }

    [Theory]
    [InlineData(300, new long[] { 4000, 2000, 2000 }, new long[] { 150, 75, 75 })]   // Sylius
    [InlineData(500, new long[] { 400, 4500 }, new long[] { 41, 459 })]              // Saleor
    [InlineData(1000, new long[] { 2000, 8000 }, new long[] { 200, 800 })]           // Voucherify
    public void Allocation_agrees_with_other_engines(long amount, long[] weights, long[] expected)
    {
        var parts = new long[weights.Length];
        Allocation.LargestRemainder(amount, weights, parts);
        Assert.Equal(expected, parts);
    }

    [Fact]
    public void Parts_sum_to_the_amount_mirror_its_sign_and_never_exceed_their_weight()
    {
        var weights = Gen.Long[0, 1_000_000_000_000].Array[1, 20].Where(all => all.Sum() > 0);
        Gen.Select(weights, Gen.Long[0, 1_000_000_000_000]).Sample((all, some) =>
        {
            var amount = Math.Min(some, all.Sum());
            var parts = new long[all.Length];
            var mirrored = new long[all.Length];
            Allocation.LargestRemainder(amount, all, parts);
            Allocation.LargestRemainder(-amount, all, mirrored);
            Assert.Equal(amount, parts.Sum());
            Assert.All(parts.Zip(all), pair => Assert.InRange(pair.First, 0, pair.Second));
            Assert.Equal(parts.Select(part => -part), mirrored);
        });
    }

    [Fact]
    public void Money_of_two_currencies_does_not_add_and_overflow_throws()
    {
        var euro = Money.FromMinorUnits(1250, Currency.Parse("EUR"));
        Assert.Equal("12.50 EUR", euro.ToString());
        Assert.Equal("1250 JPY", Money.FromMinorUnits(1250, Currency.Parse("JPY")).ToString());
        Assert.Equal(Money.FromMinorUnits(2500, Currency.Parse("EUR")), euro + euro);
        Assert.Throws<InvalidOperationException>(() => euro + Money.FromMinorUnits(1, Currency.Parse("USD")));
        Assert.Throws<OverflowException>(() => euro + Money.FromMinorUnits(long.MaxValue, euro.Currency));
        Assert.Throws<ArgumentException>(() => Money.FromMinorUnits(1, default));
        Assert.Null(Currency.Find("XAU"));
    }

    private static long Number(JsonElement value) =>
        value.ValueKind is JsonValueKind.String ? long.Parse(value.GetString()!, CultureInfo.InvariantCulture) : value.GetInt64();

    private static JsonElement Read(string name)
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vectors", name)));
        return file.RootElement.Clone();
    }
}
