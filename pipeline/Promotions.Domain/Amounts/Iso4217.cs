using System.Collections.Frozen;

namespace Promotions.Domain.Amounts;

/// <summary>The currencies of ISO 4217 and how many decimal digits their minor unit has.</summary>
/// <remarks>Shipped as text so that a change of the standard is a change one can read. The list is that of <see cref="ListVersion"/>; codes that it
/// dropped (BGN, ANG, CUC) stay, because orders of before name them. Metals, funds' units and test codes have no minor unit and are no currencies here.
/// The digits of a culture's display (CLDR) differ and are never used for amounts.</remarks>
public static class Iso4217
{
    /// <summary>Date of the ISO list that the table follows.</summary>
    public const string ListVersion = "2026-01-01";

    private static readonly FrozenDictionary<string, int> Digits = Parse();

    /// <summary>Every code, ordered.</summary>
    public static IReadOnlyList<string> Codes { get; } = [.. Digits.Keys.Order(StringComparer.Ordinal)];

    /// <returns>Decimal digits of the minor unit, 0 to 4; null where the code is no currency of the table. Codes are upper case.</returns>
    public static int? DigitsOf(string? code) => code is not null && Digits.TryGetValue(code, out var digits) ? digits : null;

    private static FrozenDictionary<string, int> Parse()
    {
        var digits = new Dictionary<string, int>(StringComparer.Ordinal);
        Add(0, """
            BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
            """);
        Add(2, """
            AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
            CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL
            GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD
            LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN
            PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB
            TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
            """);
        Add(3, """
            BHD IQD JOD KWD LYD OMR TND
            """);
        Add(4, """
            CLF UYW
            """);
        return digits.ToFrozenDictionary(StringComparer.Ordinal);

        void Add(int count, string codes)
        {
            foreach (var code in codes.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)) digits.Add(code, count);
        }
    }
}
