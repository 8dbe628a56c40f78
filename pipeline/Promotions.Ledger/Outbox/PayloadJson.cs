using System.Buffers;
using System.Text.Json;
using Promotions.Domain;
using Promotions.Domain.Campaigns;

namespace Promotions.Ledger.Outbox;

/// <summary>One JSON object at a time per thread, in a buffer and a writer that are used again, and the fields that all payloads share.</summary>
internal static class PayloadJson
{
    /// <summary>A payload of many reasons grows the buffer once; above this it is not kept.</summary>
    private const int KeptMax = 64 * 1024;

    [ThreadStatic] private static ArrayBufferWriter<byte>? t_buffer;
    [ThreadStatic] private static Utf8JsonWriter? t_json;

    public static byte[] Write(Action<Utf8JsonWriter> fields)
    {
        var json = Start();
        fields(json);
        json.WriteEndObject();
        json.Flush();
        var bytes = t_buffer!.WrittenSpan.ToArray();
        Rest();
        return bytes;
    }

    /// <summary>Opens an object, forgetting one that was not ended.</summary>
    public static Utf8JsonWriter Start()
    {
        if (t_json is null || t_buffer is null)
        {
            t_buffer = new(1024);
            t_json = new(t_buffer, new() { SkipValidation = true });
        }
        else
        {
            t_buffer.ResetWrittenCount();
            t_json.Reset();
        }

        t_json.WriteStartObject();
        return t_json;
    }

    /// <summary>The object as it stands, not closed, with so much room behind it.</summary>
    public static byte[] EndOpen(int room, out int length)
    {
        t_json!.Flush();
        var written = t_buffer!.WrittenSpan;
        length = written.Length;
        var bytes = new byte[length + room];
        written.CopyTo(bytes);
        Rest();
        return bytes;
    }

    private static void Rest()
    {
        if (t_buffer!.Capacity > KeptMax) (t_buffer, t_json) = (null, null);
    }

    /// <summary>As everywhere in JSON: UTC ISO-8601 with milliseconds.</summary>
    /// <returns>Bytes written, 24.</returns>
    public static int Format(EventTime at, Span<byte> to)
    {
        // The round-trip format has a fast path and a fixed width; its last four digits are below a millisecond.
        Span<byte> text = stackalloc byte[28];
        at.ToDateTimeOffset().UtcDateTime.TryFormat(text, out _, "O");
        text[..23].CopyTo(to);
        to[23] = (byte)'Z';
        return 24;
    }

    public static void Time(Utf8JsonWriter json, ReadOnlySpan<byte> name, EventTime at)
    {
        Span<byte> text = stackalloc byte[24];
        json.WriteString(name, text[..Format(at, text)]);
    }

    public static void OptionalTime(Utf8JsonWriter json, ReadOnlySpan<byte> name, EventTime? at)
    {
        if (at is { } time) Time(json, name, time);
        else json.WriteNull(name);
    }

    public static void Text(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is null) json.WriteNull(name);
        else json.WriteString(name, value);
    }

    public static void Number(Utf8JsonWriter json, ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } number) json.WriteNumber(name, number);
        else json.WriteNull(name);
    }

    public static void Real(Utf8JsonWriter json, ReadOnlySpan<byte> name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }

    public static void Code(Utf8JsonWriter json, ReadOnlySpan<byte> name, RefusalCode code)
    {
        if (code is RefusalCode.None) json.WriteNull(name);
        else json.WriteString(name, WireName.Of(code));
    }
}
