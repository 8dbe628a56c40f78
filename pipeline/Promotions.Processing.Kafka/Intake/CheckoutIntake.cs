using System.Buffers;
using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;
using Promotions.Processing.Topologies;
using Promotions.Streams.Kafka;

namespace Promotions.Processing.Kafka.Intake;

/// <summary>How records from outside are taken.</summary>
/// <param name="ApiKeyId">For whom a record speaks that does not say so. The broker's ACLs say who may write to a topic: they are the authentication.</param>
/// <param name="ApiKeyIds">The same for single topics.</param>
/// <param name="TakesApiKeyHeader">Whether a record may say itself for which API key it speaks. Needed by the gateways of API processes; without those, switch it off where a topic's writers must
/// not speak for each other.</param>
/// <param name="Places">Says where an ip is that the record does not place; null where nothing is known.</param>
/// <param name="ReplyPartitions">Of the replies' topic; no record may ask for an answer beyond.</param>
public sealed record CheckoutIntakeOptions(string ApiKeyId = "kafka", IReadOnlyDictionary<string, string>? ApiKeyIds = null, bool TakesApiKeyHeader = true, int ReplyPartitions = 8, IpDirectory? Places = null);

/// <summary>Checkout's records as the topology reads them: the HTTP API's JSON bodies, by the HTTP API's own rules.</summary>
/// <remarks>The event time is the record's timestamp; <c>occurred_at</c> is an attribute. How late a request is, is judged here, once, against what its partition has seen. Which entities count is the
/// channel's policy at this moment.</remarks>
public sealed class CheckoutIntake(Func<DecisionInputs> inputs, CheckoutIntakeOptions options, TimeProvider time) : IIntake
{
    public IReadOnlyCollection<string> Topics { get; } = [Records.Topics.Requests, .. RedemptionTopology.ReportTopics];

    public void Accept(in IncomingRecord record, IBufferWriter<byte> source)
    {
        if (record.Value.Length > Bounds.BodyMax) throw Refused("too_large", string.Create(CultureInfo.InvariantCulture, $"{record.Value.Length} bytes, more than {Bounds.BodyMax}."));
        if (record.At > EventTime.Now(time).Plus(Bounds.AheadMax)) throw Refused("in_future", $"The record's timestamp {record.At} is more than a minute ahead of our clock.");
        if (record.Topic == Records.Topics.Requests) Request(record, source);
        else Report(record).Write(source);
    }

    private void Request(in IncomingRecord record, IBufferWriter<byte> source)
    {
        var body = Read(record, ContractsJson.Default.RedemptionBody);
        var errors = new FieldErrors();
        var deadline = RecordHeaders.Number(record.Headers, RecordHeaders.Deadline) is { } ms ? new EventTime(ms) : (EventTime?)null;
        var caller = new Caller(Check.Id(errors, body.Id, "/id"), ApiKeyOf(record), record.At, deadline);
        var request = Checked(RedemptionIntake.Read(body, KindOf(record), caller, errors, options.Places), errors);
        var late = record.StreamTime.UnixMilliseconds - record.At.UnixMilliseconds;
        if (late > 0) request = request with { LateByMs = late };
        ObservedRequest.Encode(new(request, ChannelEntities.Of(request, inputs().Policy.For(request.Channel)), default, ReplyOf(record)), source);
    }

    private Report Report(in IncomingRecord record)
    {
        var errors = new FieldErrors();
        var apiKey = ApiKeyOf(record);
        string key;
        byte[] value;
        string? currency = null;
        switch (record.Topic)
        {
            case Records.Topics.Orders:
                var orderBody = Read(record, ContractsJson.Default.OrderPlacedBody);
                var order = Checked(OrderIntake.Read(orderBody, new(Check.Id(errors, orderBody.Order?.Id, "/order/id"), apiKey, record.At, null), errors), errors);
                (key, value) = (order.Customer.Id, RecordCodec.Encode(order));
                break;
            case Records.Topics.Returns:
                var returnBody = Read(record, ContractsJson.Default.ReturnEventBody);
                var orderId = Check.Id(errors, returnBody.OrderId, "/order_id");
                var returned = Checked(OrderIntake.Read(
                    new() { Id = returnBody.Id, CustomerId = returnBody.CustomerId, Amount = returnBody.Amount }, orderId, new(Check.Id(errors, returnBody.Id, "/id"), apiKey, record.At, null), errors), errors);
                (key, value, currency) = (returned.CustomerId, RecordCodec.Encode(returned), returnBody.Amount!.Currency);
                break;
            case Records.Topics.Engagements:
                var engagementBody = Read(record, ContractsJson.Default.EngagementBody);
                var engagement = Checked(EventIntake.Engagement(engagementBody, new(Check.Id(errors, engagementBody.Id, "/id"), apiKey, record.At, null), errors), errors);
                (key, value) = (engagement.CustomerId, RecordCodec.Encode(engagement));
                break;
            case Records.Topics.Labels:
                var labelBody = Read(record, ContractsJson.Default.LabelBody);
                var labelId = Check.Id(errors, labelBody.Id, "/id");
                var label = Checked(EventIntake.Label(labelBody, errors), errors);
                (key, value) = (label.RedemptionId, RecordCodec.Encode(new LabelRecorded(labelId, label.RedemptionId, label.Abuse, label.Source, label.Note, apiKey, record.At, Nobody)));
                break;
            case Records.Topics.Captures:
                var captureBody = Read(record, ContractsJson.Default.CaptureEventBody);
                key = Check.Id(errors, captureBody.RedemptionId, "/redemption_id");
                value = RecordCodec.Encode(new CaptureRequested(key, apiKey, record.At));
                break;
            case Records.Topics.Voids:
                var voidBody = Read(record, ContractsJson.Default.VoidEventBody);
                key = Check.Id(errors, voidBody.RedemptionId, "/redemption_id");
                value = RecordCodec.Encode(new VoidRequested(key, apiKey, Check.OptionalText(errors, voidBody.Reason, "/reason", Bounds.NoteMax), record.At));
                break;
            default:
                throw new InvalidOperationException($"Intake was given a record of '{record.Topic}', which it does not name.");
        }

        Refuse(errors);
        return new(record.Topic, key, value, ReplyOf(record)) { Currency = currency, Partition = record.Partition, Offset = record.Offset };
    }

    /// <summary>Filled in by whoever commits the label, from the record of the redemption that it judges.</summary>
    private static readonly AttemptEntities Nobody = new("", null, null, null, [], null, null);

    private string ApiKeyOf(in IncomingRecord record)
    {
        if (!options.TakesApiKeyHeader || RecordHeaders.Find(record.Headers, RecordHeaders.ApiKey) is not { } header)
            return options.ApiKeyIds?.GetValueOrDefault(record.Topic) ?? options.ApiKeyId;
        var id = System.Text.Encoding.UTF8.GetString(header);
        return Identifier.IsValid(id) ? id : throw Refused("invalid_header", $"'{RecordHeaders.ApiKey}' must be 1 to 64 of A-Z a-z 0-9 . _ : -");
    }

    private static AttemptKind KindOf(in IncomingRecord record)
    {
        if (RecordHeaders.Find(record.Headers, RecordHeaders.Kind) is not { } kind) return AttemptKind.Redemption;
        return kind.AsSpan().SequenceEqual("validation"u8) ? AttemptKind.Validation : throw Refused("invalid_header", $"'{RecordHeaders.Kind}' must be {RecordHeaders.Validation}, or left out.");
    }

    private ReplyAddress? ReplyOf(in IncomingRecord record)
    {
        if (RecordHeaders.Find(record.Headers, RecordHeaders.ReplyTo) is not { } header) return null;
        var instance = System.Text.Encoding.UTF8.GetString(header);
        var partition = RecordHeaders.Number(record.Headers, RecordHeaders.ReplyPartition);
        var correlation = RecordHeaders.Number(record.Headers, RecordHeaders.Correlation);
        if (!Identifier.IsValid(instance) || partition is null || partition >= options.ReplyPartitions || correlation is null)
            throw Refused("invalid_header", string.Create(CultureInfo.InvariantCulture,
                $"'{RecordHeaders.ReplyTo}' needs 1 to 64 of A-Z a-z 0-9 . _ : -, a '{RecordHeaders.ReplyPartition}' below {options.ReplyPartitions} and a '{RecordHeaders.Correlation}'."));
        return new((int)partition.Value, instance, correlation.Value);
    }

    private static T Read<T>(in IncomingRecord record, JsonTypeInfo<T> type)
        where T : class =>
        StrictJson.Read(new ReadOnlySequence<byte>(record.Value), type, out var error) ?? throw Refused(error!.Code, Sentence(error));

    private static T Checked<T>(T? read, FieldErrors errors)
        where T : class
    {
        Refuse(errors);
        return read ?? throw new InvalidOperationException("A body without errors was not read.");
    }

    private static void Refuse(FieldErrors errors)
    {
        if (errors.Any) throw Refused("invalid_request", string.Join(' ', errors.List.Select(Sentence)));
    }

    private static string Sentence(FieldError error) => error.Pointer.Length == 0 ? error.Detail : $"{error.Pointer}: {error.Detail}";

    /// <summary>A dead letter's reason: a code, a colon, a sentence.</summary>
    private static InvalidDataException Refused(string code, string detail) => new($"{code}: {detail}");
}
