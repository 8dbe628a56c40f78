using System.Buffers;
using Promotions.Domain.Events;

namespace Promotions.Processing.Records;

/// <summary>What checkout reports, on its way to the ledger: an order, a return, an engagement, a label, a capture or a void, as the log has it.</summary>
/// <param name="Topic">Says what it is.</param>
/// <param name="Key">Whom it is about: reports with one key keep their order.</param>
/// <param name="Value">The log's bytes, as <see cref="RecordCodec"/> writes them.</param>
/// <param name="ReplyTo">Who waits for the ledger's answer; null for nobody.</param>
public sealed record Report(string Topic, string Key, ReadOnlyMemory<byte> Value, ReplyAddress? ReplyTo)
{
    private const byte Version = 1;

    /// <summary>Of a return: what its order's is compared with. Null where there is nothing to compare.</summary>
    public string? Currency { get; init; }

    /// <summary>Where it was read.</summary>
    public int Partition { get; init; }
    public long Offset { get; init; }

    public void Write(IBufferWriter<byte> output)
    {
        var w = new RecordWriter(output);
        w.Byte(Version);
        w.Text(Topic);
        w.Text(Key);
        w.Bool(ReplyTo is not null);
        ReplyTo?.Write(w);
        w.Text(Currency);
        w.Count(Partition);
        w.Int64(Offset);
        w.Bytes(Value.Span);
    }

    /// <exception cref="InvalidDataException">The bytes are no report.</exception>
    public static Report Read(ReadOnlySpan<byte> bytes)
    {
        var r = new RecordReader(bytes);
        if (r.Byte() is var version and not Version) throw new InvalidDataException($"A report has version {version}; this build reads {Version}.");
        var (topic, key) = (r.Text(), r.Text());
        var replyTo = r.Bool() ? ReplyAddress.Read(ref r) : null;
        var (currency, partition, offset) = (r.OptionalText(), r.Count(), r.Int64());
        return new(topic, key, r.Bytes(), replyTo) { Currency = currency, Partition = partition, Offset = offset };
    }
}

/// <summary>What the ledger took, on its way back to the features: one topic for all, where each says what it is.</summary>
/// <remarks>The first byte says which of the log's records follows.</remarks>
public static class FeedbackRecord
{
    private static readonly string[] Kinds = ["", Topics.Outcomes, Topics.Labels, Topics.Orders, Topics.Returns];

    /// <summary>Whether an attempt's outcome changes any feature. What was let through is counted when it is asked for, not when it is answered.</summary>
    public static bool IsCounted(RedemptionStatus status) => status is RedemptionStatus.Blocked or RedemptionStatus.Rejected;

    /// <param name="topic">The record's topic in the log.</param>
    public static byte[] Encode(string topic, ReadOnlySpan<byte> value)
    {
        var kind = Array.IndexOf(Kinds, topic);
        if (kind < 1) throw new ArgumentException($"Nothing of '{topic}' is counted by features.", nameof(topic));
        return [(byte)kind, .. value];
    }

    /// <returns>The record's topic in the log; its bytes follow the first.</returns>
    /// <exception cref="InvalidDataException">There is no such kind.</exception>
    public static string TopicOf(ReadOnlySpan<byte> bytes) =>
        bytes.Length > 0 && bytes[0] is > 0 and var kind && kind < Kinds.Length ? Kinds[kind] : throw new InvalidDataException("The bytes are no feedback.");
}
