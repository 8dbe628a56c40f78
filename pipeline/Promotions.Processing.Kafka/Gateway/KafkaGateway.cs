using System.Text;
using Confluent.Kafka;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Processing.Kafka.Effects;

namespace Promotions.Processing.Kafka.Gateway;

/// <summary>An API process's door to the pipeline: a request goes to its topic with an address for the answer, and whoever decides answers there.</summary>
/// <remarks>
/// What the ledger has recorded is answered from it, without the pipeline. A request carries a deadline: past it nothing is booked and no decision is recorded, so that a caller who was told
/// to ask again is decided anew, or finds what was recorded in time. Safe from any thread.
/// </remarks>
public sealed class KafkaGateway : IRedemptionGateway, IAsyncDisposable
{
    private readonly LedgerAnswers _answers;
    private readonly IOrderReader _orders;
    private readonly KafkaGatewayOptions _options;
    private readonly TimeProvider _time;
    private readonly ReplyReader _replies;
    private readonly IProducer<byte[], byte[]> _producer;

    private KafkaGateway(LedgerAnswers answers, IOrderReader orders, KafkaGatewayOptions options, TimeProvider time, ReplyReader replies, IProducer<byte[], byte[]> producer) =>
        (_answers, _orders, _options, _time, _replies, _producer) = (answers, orders, options, time, replies, producer);

    /// <summary>Answers that came when nobody waited any more.</summary>
    public long UnclaimedReplies => _replies.Unclaimed;

    /// <summary>Finds the replies' topic and reads it from its end on.</summary>
    /// <param name="ledger">For what is recorded, dry runs and qualifications; stays the caller's.</param>
    /// <exception cref="KafkaException">The brokers cannot be reached, or the pipeline's topics are not there yet.</exception>
    public static async Task<KafkaGateway> OpenAsync(ILedger ledger, IOrderReader orders, KafkaGatewayOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!Identifier.IsValid(options.Instance)) throw new ArgumentException("The instance's name must be 1 to 64 of A-Z a-z 0-9 . _ : -", nameof(options));
        var replies = await Task.Run(() => ReplyReader.Open(options), cancellationToken).ConfigureAwait(false);
        var config = new ProducerConfig(new Dictionary<string, string>(options.Client))
        {
            BootstrapServers = options.Bootstrap,
            Acks = Acks.All,
            EnableIdempotence = true,
            LingerMs = options.LingerMs,
            MessageTimeoutMs = (int)options.AnswerWithin.TotalMilliseconds,
            Partitioner = Partitioner.Murmur2Random,       // as Kafka's own clients: one customer, one partition, whoever writes
            AllowAutoCreateTopics = false,
        };
        return new(new(ledger, time), orders, options, time, replies, new ProducerBuilder<byte[], byte[]>(config).Build());
    }

    public async Task<LedgerOutcome> RedeemAsync(RedemptionRequest request, CancellationToken cancellationToken)
    {
        var isRedemption = request.Kind is AttemptKind.Redemption;
        if (isRedemption && await _answers.RecordedAsync(request, cancellationToken).ConfigureAwait(false) is { } recorded) return recorded;
        var deadline = EventTime.Now(_time).Plus(_options.AnswerWithin);
        if (request.Deadline is { } callers && callers < deadline) deadline = callers;
        var headers = HeadersOf(request.ApiKeyId);
        headers.Add(RecordHeaders.Deadline, RecordHeaders.Of(deadline.UnixMilliseconds));
        if (!isRedemption) headers.Add(RecordHeaders.Kind, RecordHeaders.Of(RecordHeaders.Validation));
        var reply = await AskAsync(Records.Topics.Requests, request.Customer.Id, EventBodies.Of(request), request.At, headers, deadline, cancellationToken).ConfigureAwait(false);
        if (reply.Proposal is { } proposal) return _answers.DryRun(proposal);
        var outcome = reply.Outcome!;
        return outcome.Refusal is LedgerRefusal.DeadlinePassed && deadline != request.Deadline
            ? throw new TimeoutException("The pipeline had the request later than its answer may take; nothing was booked.")
            : outcome;
    }

    public Task<Qualification> QualifyAsync(RedemptionRequest request, CancellationToken cancellationToken) => _answers.QualifyAsync(request, cancellationToken);

    public Task<LedgerOutcome> CaptureAsync(CaptureRequested request, CancellationToken cancellationToken) =>
        ReportAsync(Records.Topics.Captures, request.RedemptionId, EventBodies.Of(request), request.At, request.ApiKeyId, cancellationToken);

    public Task<LedgerOutcome> VoidAsync(VoidRequested request, CancellationToken cancellationToken) =>
        ReportAsync(Records.Topics.Voids, request.RedemptionId, EventBodies.Of(request), request.At, request.ApiKeyId, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(OrderPlaced order, CancellationToken cancellationToken) =>
        ReportAsync(Records.Topics.Orders, order.Customer.Id, EventBodies.Of(order), order.At, order.ApiKeyId, cancellationToken);

    public async Task<LedgerOutcome> RecordAsync(OrderReturned returned, CancellationToken cancellationToken) => _orders.FindOrder(returned.OrderId) is { } order
        ? await ReportAsync(Records.Topics.Returns, returned.CustomerId, EventBodies.Of(returned, order.Currency), returned.At, null, cancellationToken).ConfigureAwait(false)
        : new(0, LedgerRefusal.InvalidCommand, false, null, "order_id: no such order");

    public Task<LedgerOutcome> RecordAsync(EngagementRecorded engagement, CancellationToken cancellationToken) =>
        ReportAsync(Records.Topics.Engagements, engagement.CustomerId, EventBodies.Of(engagement), engagement.At, engagement.ApiKeyId, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(LabelRecorded label, CancellationToken cancellationToken) =>
        ReportAsync(Records.Topics.Labels, label.RedemptionId, EventBodies.Of(label), label.At, label.Actor, cancellationToken);

    /// <summary>Sends what is under way, then closes. Whoever still waits is told so.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.Run(() => _producer.Flush(_options.AnswerWithin)).ConfigureAwait(false);
        _producer.Dispose();
        await _replies.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<LedgerOutcome> ReportAsync(string topic, string key, byte[] value, EventTime at, string? apiKeyId, CancellationToken cancellationToken)
    {
        var reply = await AskAsync(topic, key, value, at, HeadersOf(apiKeyId), EventTime.Now(_time).Plus(_options.AnswerWithin), cancellationToken).ConfigureAwait(false);
        return reply.Outcome!;
    }

    private Headers HeadersOf(string? apiKeyId)
    {
        var headers = new Headers();
        if (apiKeyId is not null) headers.Add(RecordHeaders.ApiKey, Encoding.UTF8.GetBytes(apiKeyId));
        headers.Add(RecordHeaders.ReplyTo, Encoding.UTF8.GetBytes(_options.Instance));
        headers.Add(RecordHeaders.ReplyPartition, RecordHeaders.Of(_replies.Partition));
        return headers;
    }

    /// <exception cref="TimeoutException">No answer came in time: whether it took effect is unknown.</exception>
    /// <exception cref="LedgerFaultException">The brokers did not take the record, or it is unknown whether.</exception>
    private async Task<Reply> AskAsync(string topic, string key, byte[] value, EventTime at, Headers headers, EventTime deadline, CancellationToken cancellationToken)
    {
        var (correlation, answer) = _replies.Expect();
        headers.Add(RecordHeaders.Correlation, RecordHeaders.Of(correlation));
        try
        {
            _producer.Produce(
                _options.Topics.Named(topic),
                new() { Key = Encoding.UTF8.GetBytes(key), Value = value, Headers = headers, Timestamp = new(at.ToDateTimeOffset()) },
                report =>
                {
                    if (report.Error.IsError) answer.TrySetException(NotTaken(topic, report.Error));
                });
            var patience = TimeSpan.FromMilliseconds(Math.Max(0, deadline.UnixMilliseconds - EventTime.Now(_time).UnixMilliseconds)) + _options.ReplyGrace;
            return await answer.Task.WaitAsync(patience, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (ProduceException<byte[], byte[]> refused)
        {
            throw NotTaken(topic, refused.Error);
        }
        finally
        {
            _replies.Forget(correlation);
        }
    }

    private static LedgerFaultException NotTaken(string topic, Error error) => new($"Kafka did not take the record for '{topic}': {error.Reason}", new KafkaException(error));
}
