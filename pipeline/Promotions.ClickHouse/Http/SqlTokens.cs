using System.Text;

namespace Promotions.ClickHouse.Http;

internal enum SqlTokenKind : byte { None = 0, Word = 1, Open = 2, Close = 3, Equals = 4, End = 5, Dot = 6, Other = 7 }

/// <summary>Enough of ClickHouse's lexer to tell words from strings and comments. Quoted identifiers are words.</summary>
internal ref struct SqlTokens(ReadOnlySpan<byte> sql)
{
    private readonly ReadOnlySpan<byte> _sql = sql;
    private int _at = 0;
    private ReadOnlySpan<byte> _word = default;

    public SqlTokenKind Kind { get; private set; } = SqlTokenKind.None;
    /// <summary>The word stood in quotes: a name, never a keyword.</summary>
    public bool Quoted { get; private set; } = false;
    /// <summary>Where the token begins, and where the rest behind it does.</summary>
    public int Start { get; private set; } = 0;
    public readonly int End => _at;
    public readonly string Text => Encoding.UTF8.GetString(_word);

    public bool MoveNext()
    {
        SkipSpaceAndComments();
        if (_at >= _sql.Length) return false;
        Start = _at;
        var c = _sql[_at];
        if (c is (byte)'\'') { SkipQuoted((byte)'\''); Kind = SqlTokenKind.Other; return true; }
        if (c is (byte)'`' or (byte)'"')
        {
            var start = _at + 1;
            SkipQuoted(c);
            _word = _sql[start..Math.Max(start, Math.Min(_sql.Length, _at) - 1)];
            (Kind, Quoted) = (SqlTokenKind.Word, true);
            return true;
        }

        if (IsWord(c))
        {
            var start = _at;
            while (_at < _sql.Length && IsWord(_sql[_at])) _at++;
            _word = _sql[start.._at];
            (Kind, Quoted) = (SqlTokenKind.Word, false);
            return true;
        }

        _at++;
        Kind = c switch { (byte)'(' => SqlTokenKind.Open, (byte)')' => SqlTokenKind.Close, (byte)'=' => SqlTokenKind.Equals, (byte)';' => SqlTokenKind.End, (byte)'.' => SqlTokenKind.Dot, _ => SqlTokenKind.Other };
        return true;
    }

    private static bool IsWord(byte c) => char.IsAsciiLetterOrDigit((char)c) || c is (byte)'_' or (byte)'$' or >= 0x80;

    private void SkipQuoted(byte quote)
    {
        for (_at++; _at < _sql.Length; _at++)
        {
            if (_sql[_at] == (byte)'\\') { _at++; continue; }
            if (_sql[_at] != quote) continue;
            if (_at + 1 < _sql.Length && _sql[_at + 1] == quote) { _at++; continue; }
            _at++;
            return;
        }
    }

    private void SkipSpaceAndComments()
    {
        while (_at < _sql.Length)
        {
            var rest = _sql[_at..];
            if (rest[0] <= (byte)' ') _at++;
            else if (rest.StartsWith("--"u8) || rest.StartsWith("#!"u8) || rest.StartsWith("# "u8)) Advance(rest.IndexOf((byte)'\n'), 1);
            else if (rest.StartsWith("/*"u8)) Advance(rest[2..].IndexOf("*/"u8), 4);
            else return;
        }
    }

    private void Advance(int found, int extra) => _at = found < 0 ? _sql.Length : _at + found + extra;
}
