using System.Buffers.Binary;
using System.Text;
using Promotions.Domain;

namespace Promotions.Processing.Records;

/// <summary>Reads what <see cref="RecordWriter"/> wrote.</summary>
/// <exception cref="InvalidDataException">The bytes end early or say something impossible: a poison record.</exception>
internal ref struct RecordReader(ReadOnlySpan<byte> input)
{
    private ReadOnlySpan<byte> _rest = input;

    public readonly bool AtEnd => _rest.IsEmpty;

    public byte Byte() => Take(1)[0];

    public bool Bool() => Byte() switch { 0 => false, 1 => true, var other => throw new InvalidDataException($"A flag must be 0 or 1, not {other}.") };

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public ulong UInt64() => unchecked((ulong)Int64());

    public int Count()
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var part = Byte();
            value |= (uint)(part & 0x7F) << shift;
            if ((part & 0x80) == 0) return value <= int.MaxValue ? (int)value : throw new InvalidDataException($"A length of {value} is too large.");
        }

        throw new InvalidDataException("A length does not end.");
    }

    public string? OptionalText()
    {
        var count = Count();
        return count == 0 ? null : TextPool.Shared.Get(Take(count - 1));
    }

    public void SkipText()
    {
        var count = Count();
        if (count > 0) Take(count - 1);
    }

    public string Text() => OptionalText() ?? throw new InvalidDataException("A text that must be there is missing.");

    public byte[] Bytes() => Take(Count()).ToArray();

    public ReadOnlySpan<byte> Span() => Take(Count());

    public ReadOnlySpan<byte> Rest() => Take(_rest.Length);

    public EventTime Time() => new(Int64());

    public EventTime? OptionalTime() => Bool() ? Time() : null;

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length) throw new InvalidDataException($"The record ends {count - _rest.Length} bytes too early.");
        var part = _rest[..count];
        _rest = _rest[count..];
        return part;
    }
}

/// <summary>Gives one string for equal short texts: channels, currencies, categories and skus recur in every record.</summary>
/// <remarks>A direct-mapped table of fixed size: a collision costs an allocation, never a wrong text. One per thread, so it needs no lock.</remarks>
internal sealed class TextPool
{
    private const int Slots = 4096;
    private const int BytesMax = 48;
    [ThreadStatic] private static TextPool? t_shared;
    private readonly string?[] _texts = new string?[Slots];

    public static TextPool Shared => t_shared ??= new TextPool();

    public string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty) return string.Empty;
        if (utf8.Length > BytesMax) return Encoding.UTF8.GetString(utf8);
        var hash = 2166136261u;
        foreach (var b in utf8) hash = unchecked((hash ^ b) * 16777619u);
        ref var slot = ref _texts[hash % Slots];
        if (slot is { } known && Equal(known, utf8)) return known;
        return slot = Encoding.UTF8.GetString(utf8);
    }

    private static bool Equal(string text, ReadOnlySpan<byte> utf8)
    {
        if (text.Length != utf8.Length) return false;      // texts beyond ASCII never match by length alone: they allocate, which is right
        for (var i = 0; i < utf8.Length; i++)
            if (text[i] != utf8[i]) return false;
        return true;
    }
}
