using System.Globalization;

namespace Promotions.ClickHouse.Http;

/// <summary>An error as ClickHouse's HTTP interface shows it: code header, status, text.</summary>
internal readonly record struct ClickHouseError(int Code, string Text)
{
    public const int UnknownException = 1002;
    public const int Syntax = 62;
    public const int UnknownCompression = 89;
    public const int AuthenticationFailed = 516;
    public const int TooManyQueries = 202;
    public const int TooLarge = 307;
    public const int NotImplemented = 48;
    public const int AccessDenied = 497;

    public static ClickHouseError Of(int code, string name, string sentence) =>
        new(code, string.Create(CultureInfo.InvariantCulture, $"Code: {code}. DB::Exception: {sentence} ({name})"));

    /// <summary>The engine words its errors <c>Code: N. DB::Exception: ...</c>.</summary>
    public static ClickHouseError Parse(string text)
    {
        var start = text.IndexOf("Code: ", StringComparison.Ordinal);
        if (start < 0) return new(UnknownException, text);
        var end = start += "Code: ".Length;
        while (end < text.Length && char.IsAsciiDigit(text[end])) end++;
        return new(int.TryParse(text.AsSpan(start, end - start), NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : UnknownException, text);
    }

    /// <summary>As the server maps them: what the caller wrote is 400 or 404, what it may not do 403, the rest 500.</summary>
    public int Status => Code switch
    {
        AuthenticationFailed or AccessDenied or 164 or 192 or 193 or 194 => 403,
        36 or 38 or 27 or 41 or 43 or 44 or 53 or 62 or 69 or 70 or 72 or 115 or 117 or 26 or 386 or 456 or 457 => 400,
        46 or 47 or 60 or 81 or 50 or 51 or 52 or 63 or 65 or 68 => 404,
        TooLarge => 413,
        NotImplemented => 501,
        TooManyQueries => 503,
        _ => 500,
    };
}
