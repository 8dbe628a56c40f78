using System.Text;
using System.Text.Json;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Processing.Kafka.Gateway;
using Promotions.Processing.Records;
using Promotions.Streams.Kafka;

namespace Promotions.Processing.Kafka.Effects;

/// <summary>A report that the ledger refused and that nobody waits for: it goes to the dead letters, where a person finds it and may send it again.</summary>
internal static class DeadReport
{
    public static OutgoingRecord Of(Report report, LedgerOutcome outcome, EventTime at, KafkaTopics topics, EventTime now)
    {
        var value = report.Value.Span;
        var (body, apiKey) = report.Topic switch
        {
            Topics.Orders when RecordCodec.DecodeOrder(value) is var order => (EventBodies.Of(order), order.ApiKeyId),
            Topics.Returns => (EventBodies.Of(RecordCodec.DecodeReturn(value), report.Currency!), null),
            Topics.Engagements when RecordCodec.DecodeEngagement(value) is var engagement => (EventBodies.Of(engagement), engagement.ApiKeyId),
            Topics.Labels when RecordCodec.DecodeLabel(value) is var label => (EventBodies.Of(label), label.Actor),
            Topics.Captures when RecordCodec.DecodeCapture(value) is var capture => (EventBodies.Of(capture), capture.ApiKeyId),
            Topics.Voids when RecordCodec.DecodeVoid(value) is var voided => (EventBodies.Of(voided), voided.ApiKeyId),
            _ => throw new ArgumentException($"'{report.Topic}' carries no reports.", nameof(report)),
        };
        var code = JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.Refusal.ToString());
        return new(KafkaTopics.DeadLetters, null, Encoding.UTF8.GetBytes(report.Key), body, at,
        [
            new("dead-letter-reason", RecordHeaders.Of(code)),
            new("dead-letter-detail", RecordHeaders.Of(outcome.Detail ?? "The ledger refused it.")),
            new("dead-letter-topic", RecordHeaders.Of(topics.Named(report.Topic))),
            new("dead-letter-partition", RecordHeaders.Of(report.Partition)),
            new("dead-letter-offset", RecordHeaders.Of(report.Offset)),
            new("dead-letter-at", RecordHeaders.Of(now.ToString())),
            .. apiKey is null ? [] : (KeyValuePair<string, byte[]>[])[new(RecordHeaders.ApiKey, RecordHeaders.Of(apiKey))],      // sent again, it speaks for whom it spoke
        ]);
    }
}

/// <summary>A problem in the decisions' topic: RFC 9457, with the request's id.</summary>
internal static class ProblemJson
{
    public static byte[] Write(string id, Contracts.ProblemAnswer problem, string? detail)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteString("type"u8, problem.Type);
        json.WriteString("title"u8, problem.Title);
        json.WriteNumber("status"u8, problem.Status);
        json.WriteString("code"u8, problem.Code);
        if ((detail ?? problem.Detail) is { } sentence) json.WriteString("detail"u8, sentence);
        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }
}
