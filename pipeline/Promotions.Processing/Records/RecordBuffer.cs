using System.Buffers;

namespace Promotions.Processing.Records;

/// <summary>One buffer a thread, that records are written into before they become arrays of their own length.</summary>
internal static class RecordBuffer
{
    [ThreadStatic] private static ArrayBufferWriter<byte>? t_buffer;

    /// <summary>The thread's buffer, emptied: what was in it is gone.</summary>
    public static ArrayBufferWriter<byte> Empty()
    {
        var buffer = t_buffer ??= new(4 << 10);
        buffer.ResetWrittenCount();
        return buffer;
    }
}
