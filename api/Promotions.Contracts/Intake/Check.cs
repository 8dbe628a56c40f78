using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Promotions.Domain;
using Promotions.Domain.Amounts;

namespace Promotions.Contracts.Intake;

/// <summary>One rule each: a value as the domain wants it, or an error with its place.</summary>
public static class Check
{
    public static string Id(FieldErrors errors, string? value, in At at)
    {
        if (Identifier.IsValid(value)) return value!;
        Refuse(errors, value, at, "invalid_id", "Must be 1 to 64 of A-Z a-z 0-9 . _ : -");
        return "";
    }

    public static string? OptionalId(FieldErrors errors, string? value, in At at) => value is null ? null : Id(errors, value, at);

    /// <summary>Text without control characters.</summary>
    public static string Text(FieldErrors errors, string? value, in At at, int lengthMax)
    {
        if (value is { Length: > 0 } && value.Length <= lengthMax && !HasControl(value)) return value;
        Refuse(errors, value, at, "invalid_text", string.Create(CultureInfo.InvariantCulture, $"Must be 1 to {lengthMax} characters, none of them control characters."));
        return "";
    }

    public static string? OptionalText(FieldErrors errors, string? value, in At at, int lengthMax) => value is null ? null : Text(errors, value, at, lengthMax);

    /// <summary>Trimmed, upper case. What no coupon has is still a valid request: enumeration must be seen.</summary>
    public static string Code(FieldErrors errors, string? value, in At at)
    {
        var code = value?.Trim().ToUpperInvariant();
        if (code is { Length: > 0 and <= Bounds.CodeMax } && !HasControl(code)) return code;
        Refuse(errors, value, at, "invalid_code", "Must be 1 to 64 characters, none of them control characters.");
        return "";
    }

    public static long Whole(FieldErrors errors, long? value, in At at, long min, long max)
    {
        if (value is { } number && number >= min && number <= max) return number;
        if (value is null) errors.Add(at, "required", "Is missing.");
        else errors.Add(at, value < 0 && min >= 0 ? "negative" : "out_of_range", string.Create(CultureInfo.InvariantCulture, $"Must be {min} to {max}."));
        return min;
    }

    public static long? OptionalWhole(FieldErrors errors, long? value, in At at, long min, long max) => value is null ? null : Whole(errors, value, at, min, max);

    /// <summary>A number that need not be whole.</summary>
    public static double Number(FieldErrors errors, double? value, in At at, double min, double max)
    {
        if (value is { } number && number >= min && number <= max) return number;
        if (value is null) errors.Add(at, "required", "Is missing.");
        else errors.Add(at, value < 0 && min >= 0 ? "negative" : "out_of_range", string.Create(CultureInfo.InvariantCulture, $"Must be {min} to {max}."));
        return min;
    }

    public static string Currency(FieldErrors errors, string? value, in At at)
    {
        if (value is not null && Iso4217.DigitsOf(value) is not null) return value;
        Refuse(errors, value, at, "invalid_currency", "Must be an ISO 4217 code in capitals.");
        return "";
    }

    /// <summary>Minor units of <paramref name="currency"/>; another currency is refused. An empty currency was refused before and is not compared.</summary>
    public static long Money(FieldErrors errors, MoneyBody? value, string currency, in At at, long min, long max)
    {
        if (value is null)
        {
            errors.Add(at, "required", "Is missing.");
            return min;
        }
        if (value.Currency is null) errors.Add($"{at}/currency", "required", "Is missing.");
        else if (currency.Length > 0 && value.Currency != currency) errors.Add($"{at}/currency", "currency_mismatch", $"Must be {currency}, like the rest.");
        if (value.Amount is { } amount && amount >= min && amount <= max) return amount;
        return Whole(errors, value.Amount, $"{at}/amount", min, max);
    }

    public static long? OptionalMoney(FieldErrors errors, MoneyBody? value, string currency, in At at, long min, long max) =>
        value is null ? null : Money(errors, value, currency, at, min, max);

    /// <summary>UTC ISO-8601: <c>2026-03-01T12:00:00Z</c>, with up to seven decimals of a second.</summary>
    public static EventTime? OptionalTime(FieldErrors errors, string? value, in At at)
    {
        if (value is null) return null;
        if (value.Length is >= 20 and <= 28 && value[^1] == 'Z' && value[10] == 'T'
            && DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
            return EventTime.From(time);
        errors.Add(at, "invalid_time", "Must be UTC ISO-8601 such as 2026-03-01T12:00:00Z.");
        return null;
    }

    /// <summary>A time that has happened: at most a minute ahead of our clock.</summary>
    public static EventTime? OptionalPast(FieldErrors errors, string? value, EventTime now, in At at)
    {
        var time = OptionalTime(errors, value, at);
        if (time > now.Plus(Bounds.AheadMax)) errors.Add(at, "in_future", "Is more than a minute ahead of our clock.");
        return time;
    }

    /// <summary>The address in its one canonical spelling, so that one address is one entity. IPv4 in IPv6 becomes IPv4.</summary>
    public static Country OptionalCountry(FieldErrors errors, string? value, in At at)
    {
        if (value is null) return default;
        if (Country.TryParse(value, out var country)) return country;
        errors.Add(at, "invalid_country", "Must be two capital letters of ISO 3166-1, as in DE.");
        return default;
    }

    public static string? OptionalIp(FieldErrors errors, string? value, in At at)
    {
        if (value is null) return null;
        if (value.Length <= 45 && IPAddress.TryParse(value, out var address))
        {
            if (address.AddressFamily is AddressFamily.InterNetwork && address.ToString() == value) return value;   // refuses 0x7f.1 and 127.1
            if (address.AddressFamily is AddressFamily.InterNetworkV6 && address.ScopeId == 0 && !value.Contains('[', StringComparison.Ordinal))
                return (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
        }
        errors.Add(at, "invalid_ip", "Must be an IPv4 or IPv6 address.");
        return null;
    }

    public static IReadOnlyList<string> Texts(FieldErrors errors, string?[]? values, string at, int countMax)
    {
        if (!Counted(errors, values, at, countMax)) return [];
        var texts = new string[values!.Length];
        for (var i = 0; i < texts.Length; i++) texts[i] = Text(errors, values[i], new At(at, i, ""), Bounds.NameMax);
        return texts;
    }

    public static IReadOnlyList<string> Ids(FieldErrors errors, string?[]? values, string at, int countMax)
    {
        if (!Counted(errors, values, at, countMax)) return [];
        var ids = new string[values!.Length];
        for (var i = 0; i < ids.Length; i++) ids[i] = Id(errors, values[i], new At(at, i, ""));
        return ids;
    }

    private static bool Counted(FieldErrors errors, string?[]? values, string at, int countMax)
    {
        if (values is not { Length: > 0 }) return false;
        if (values.Length <= countMax) return true;
        errors.Add(at, "too_many", string.Create(CultureInfo.InvariantCulture, $"At most {countMax}."));
        return false;
    }

    private static bool HasControl(string text)
    {
        foreach (var c in text)
            if (char.IsControl(c)) return true;
        return false;
    }

    private static void Refuse(FieldErrors errors, string? value, in At at, string code, string detail)
    {
        if (value is null) errors.Add(at, "required", "Is missing.");
        else errors.Add(at, code, detail);
    }
}
