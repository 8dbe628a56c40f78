using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Promotions.Contracts.Json;

/// <summary>Reads one JSON document of a known shape, or says where and why not, without naming our types.</summary>
public static class StrictJson
{
    private static readonly JsonReaderOptions Options = new()
    {
        MaxDepth = Bounds.DepthMax,
        CommentHandling = JsonCommentHandling.Disallow,
        AllowTrailingCommas = false,
    };

    /// <returns>Null with <paramref name="error"/> set when the document is refused.</returns>
    public static T? Read<T>(in ReadOnlySequence<byte> json, JsonTypeInfo<T> type, out FieldError? error) where T : class
    {
        try
        {
            var reader = new Utf8JsonReader(json, Options);
            var value = JsonSerializer.Deserialize(ref reader, type);
            while (reader.Read())
            {
                // Anything after the document makes Read throw.
            }
            error = value is null ? new FieldError("", "malformed_json", "The body is null.") : null;
            return value;
        }
        catch (JsonException exception)
        {
            error = Explain(exception);
            return null;
        }
    }

    private static FieldError Explain(JsonException exception)
    {
        var pointer = ToPointer(exception.Path);
        var message = exception.Message;
        // The serializer tells its refusals apart by message only; a test pins each of these.
        if (message.Contains("could not be mapped", StringComparison.Ordinal))
            return new(pointer, "unknown_field", "This field is not part of the request.");
        if (message.Contains("Duplicate property", StringComparison.OrdinalIgnoreCase))
            return new(pointer, "duplicate_field", "This field appears more than once.");
        if (message.Contains("maximum configured depth", StringComparison.Ordinal))
            return new(pointer, "too_deep", string.Create(CultureInfo.InvariantCulture, $"More than {Bounds.DepthMax} levels."));
        return message.Contains("could not be converted", StringComparison.Ordinal)
            ? new(pointer, "wrong_type", "The value has another type, a fraction, or is out of range.")
            : new("", "malformed_json", string.Create(
                CultureInfo.InvariantCulture, $"Not valid JSON near line {(exception.LineNumber ?? 0) + 1}, byte {(exception.BytePositionInLine ?? 0) + 1}."));
    }

    /// <summary><c>$.order.items[0].sku</c> as <c>/order/items/0/sku</c>. Names in brackets and quotes are unwrapped.</summary>
    public static string ToPointer(string? path)
    {
        if (path is null || path.Length < 2) return "";
        var pointer = new StringBuilder(path.Length);
        for (var i = 1; i < path.Length;)
        {
            pointer.Append('/');
            if (path[i] == '.')
            {
                var length = path.AsSpan(i + 1).IndexOfAny('.', '[');
                var end = length < 0 ? path.Length : i + 1 + length;
                AppendEscaped(pointer, path.AsSpan(i + 1, end - i - 1));
                i = end;
            }
            else
            {
                var quoted = path.AsSpan(i).StartsWith("['");
                var from = i + (quoted ? 2 : 1);
                var close = path.IndexOf(quoted ? "']" : "]", i, StringComparison.Ordinal);
                if (close < from) close = path.Length;
                AppendEscaped(pointer, path.AsSpan(Math.Min(from, path.Length), Math.Max(0, close - from)));
                i = Math.Min(path.Length, close + (quoted ? 2 : 1));
            }
        }
        return pointer.ToString();
    }

    private static void AppendEscaped(StringBuilder pointer, ReadOnlySpan<char> name)
    {
        foreach (var c in name)
            _ = c switch { '~' => pointer.Append("~0"), '/' => pointer.Append("~1"), _ => pointer.Append(c) };
    }
}
