using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Promotions.Api.Http;

/// <summary>Writes an answer in one piece with its length, from buffers that the thread keeps.</summary>
internal static class JsonOut
{
    private const int KeptMax = 256 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_buffer;
    [ThreadStatic]
    private static Utf8JsonWriter? t_writer;

    /// <summary>No await between renting and returning: the thread's buffers have one user at a time.</summary>
    public static void Write<T>(HttpResponse response, int status, T value, JsonTypeInfo<T> type, string mediaType)
    {
        var buffer = t_buffer ??= new ArrayBufferWriter<byte>(4096);
        // Answers are JSON for programs, never markup: plain UTF-8 is shorter than escapes and reads the same.
        var writer = t_writer ??= new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
        buffer.ResetWrittenCount();
        writer.Reset();
        try
        {
            JsonSerializer.Serialize(writer, value, type);
            response.StatusCode = status;
            response.ContentType = mediaType;
            response.ContentLength = buffer.WrittenCount;
            response.BodyWriter.Write(buffer.WrittenSpan);
        }
        finally
        {
            if (buffer.Capacity > KeptMax)
            {
                t_buffer = null;
                t_writer = null;
            }
        }
    }
}
