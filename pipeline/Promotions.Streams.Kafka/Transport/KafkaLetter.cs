using System.Buffers;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Promotions.Domain;

namespace Promotions.Streams.Kafka.Transport;

/// <summary>A record that was given up, as it lies in the dead letters: its key, value and time as they were, and in headers where it came from and why.</summary>
/// <param name="Partition">−1 for a record that was to leave.</param>
/// <param name="Offset">−1 for a record that was to leave.</param>
/// <param name="At">The record's own time.</param>
/// <param name="Reason">A sentence; one that starts with a code of lower-case letters and a colon is told by that code.</param>
internal sealed record KafkaLetter(
    string Topic, int Partition, long Offset, byte[]? Key, byte[]? Value, EventTime At, string Reason, IReadOnlyList<KeyValuePair<string, byte[]>> Headers)
{
    private const string Own = "dead-letter-";

    private static readonly SearchValues<char> s_code = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");

    /// <summary>The code of a reason that has none of its own.</summary>
    private const string Failed = "failed";

    /// <summary>More of a value would make a letter that is itself too large.</summary>
    private const int ValueBytesMax = 800_000;

    private const int DetailMax = 2_000;

    /// <summary>The value is not all there.</summary>
    public bool IsCut { get; private init; }

    public string Code => SplitAt is var end && end > 0 ? Reason[..end] : Failed;
    public string Detail => SplitAt is var end && end > 0 ? Reason[(end + 2)..] : Reason;

    /// <summary>Where the code ends; −1 where there is none.</summary>
    private int SplitAt
    {
        get
        {
            var colon = Reason.IndexOf(": ", StringComparison.Ordinal);
            return colon > 0 && Reason.AsSpan(0, colon).IndexOfAnyExcept(s_code) < 0 ? colon : -1;
        }
    }

    /// <param name="now">When it was given up.</param>
    public Message<byte[], byte[]> ToMessage(EventTime now)
    {
        var leaves = Offset < 0;
        var (code, detail) = (Code, Detail);
        var headers = new Headers
        {
            { Own + "reason", Encoding.UTF8.GetBytes(code) },
            { Own + "detail", Encoding.UTF8.GetBytes(detail.Length > DetailMax ? detail[..DetailMax] : detail) },
            { Own + "topic", Encoding.UTF8.GetBytes(Topic) },
            { Own + "partition", Text(Math.Max(0, Partition)) },
            { Own + "offset", Text(Math.Max(0, Offset)) },
            { Own + "at", Encoding.UTF8.GetBytes(now.ToString()) },
        };
        if (leaves) headers.Add(Own + "outgoing", "true"u8.ToArray());
        if (Value is { Length: > ValueBytesMax }) headers.Add(Own + "cut-from", Text(Value.Length));
        foreach (var (name, value) in Headers) headers.Add(name, value);
        return new()
        {
            Key = Key!,
            Value = (Value is { Length: > ValueBytesMax } ? Value[..ValueBytesMax] : Value)!,
            Headers = headers,
            Timestamp = At.UnixMilliseconds > 0 ? new(At.UnixMilliseconds, TimestampType.CreateTime) : Timestamp.Default,
        };
    }

    /// <exception cref="InvalidDataException">It is no letter of ours.</exception>
    public static KafkaLetter FromMessage(Message<byte[], byte[]> message)
    {
        var own = message.Headers?.Where(h => h.Key.StartsWith(Own, StringComparison.Ordinal)).ToDictionary(h => h.Key, h => Encoding.UTF8.GetString(h.GetValueBytes()), StringComparer.Ordinal) ?? [];
        if (!own.TryGetValue(Own + "topic", out var topic)) throw new InvalidDataException("A record there is no dead letter: it does not say where it comes from.");
        var leaves = own.ContainsKey(Own + "outgoing");
        KeyValuePair<string, byte[]>[] others = [.. message.Headers!.Where(h => !h.Key.StartsWith(Own, StringComparison.Ordinal)).Select(h => KeyValuePair.Create(h.Key, h.GetValueBytes()))];
        return new(
            topic, leaves ? -1 : (int)Number(own, "partition"), leaves ? -1 : Number(own, "offset"), message.Key, message.Value, new(message.Timestamp.UnixTimestampMs),
            $"{own.GetValueOrDefault(Own + "reason", Failed)}: {own.GetValueOrDefault(Own + "detail", "")}", others)
        {
            IsCut = own.ContainsKey(Own + "cut-from"),
        };
    }

    public static IReadOnlyList<KeyValuePair<string, byte[]>> Copy(Headers? headers) => headers is { Count: > 0 } ? [.. headers.Select(h => KeyValuePair.Create(h.Key, h.GetValueBytes()))] : [];

    private static byte[] Text(long number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));
    private static long Number(Dictionary<string, string> own, string name) => long.TryParse(own.GetValueOrDefault(Own + name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
}
