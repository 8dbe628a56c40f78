using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Promotions.Processing.Kafka;

/// <summary>Headers of records that come in. Values are UTF-8 text; whoever may write to a topic may set them.</summary>
public static class RecordHeaders
{
    /// <summary>The API key for which the record speaks, by its id. Without it: the topic's own (a setting).</summary>
    public const string ApiKey = "api-key";

    /// <summary>Milliseconds since 1970 after which nothing may be booked. Without it: none.</summary>
    public const string Deadline = "deadline";

    /// <summary><c>validation</c>: what would be answered, booking nothing. Without it: a redemption.</summary>
    public const string Kind = "kind";

    /// <summary>The reading process's name, its partition of the replies' topic, and its number for the question. All three or none.</summary>
    public const string ReplyTo = "reply-to";
    public const string ReplyPartition = "reply-partition";
    public const string Correlation = "correlation";

    public const string Validation = "validation";

    internal static byte[] Of(long number) => Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture));
    internal static byte[] Of(string text) => Encoding.UTF8.GetBytes(text);

    /// <returns>Null where there is none; of several the last.</returns>
    internal static byte[]? Find(IReadOnlyList<KeyValuePair<string, byte[]>> headers, string name)
    {
        for (var i = headers.Count - 1; i >= 0; i--)
            if (headers[i].Key == name) return headers[i].Value;
        return null;
    }

    /// <exception cref="InvalidDataException">The header is there and no whole number from 0 on.</exception>
    internal static long? Number(IReadOnlyList<KeyValuePair<string, byte[]>> headers, string name)
    {
        if (Find(headers, name) is not { } value) return null;
        return Utf8Parser.TryParse(value, out long number, out var read) && read == value.Length && number >= 0
            ? number
            : throw new InvalidDataException($"invalid_header: '{name}' must be a whole number from 0 on.");
    }
}
