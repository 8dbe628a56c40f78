using System.Buffers;
using System.Text;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Processing.Decisions;
using Promotions.Processing.Kafka.Gateway;
using Promotions.Processing.Kafka.Intake;
using Promotions.Processing.Records;
using Promotions.Processing.Tests;
using Promotions.Streams.Kafka;

namespace Promotions.Processing.Kafka.Tests;

public class CheckoutIntakeTests
{
    private static readonly FakeTimeProvider Time = new(PipelineRig.Start.ToDateTimeOffset());
    private static readonly Func<DecisionInputs> Inputs = () => RecordedShop.Inputs() with { Policy = PipelineRig.Policy with { Channels = [new("pos-*", ["device", "ip", "network"], ScorerFallback.Review)] } };
    private static readonly CheckoutIntake Intake = new(Inputs, new(ApiKeyIds: new Dictionary<string, string> { [Topics.Orders] = "erp" }, ReplyPartitions: 4), Time);

    private static readonly Gen<string> Id = Gen.String[Gen.Char["abcXYZ019._:-"], 1, 64];
    private static readonly Gen<string?> Text = Gen.OneOf(Gen.String[Gen.Char["aB1 ü☂/\"\\"], 1, 40].Select(t => (string?)t), Gen.Const((string?)null));
    private static readonly Gen<EventTime?> Past = Gen.OneOf(Gen.Long[0, PipelineRig.Start.UnixMilliseconds].Select(ms => (EventTime?)new EventTime(ms)), Gen.Const((EventTime?)null));

    private static readonly Gen<Redeemable> Redeemables = Gen.Select(Gen.Int[1, 5], Gen.String[Gen.Char["ABC019-"], 1, 20], Gen.Long[1, 100_000], (type, code, amount) =>
        (RedeemableType)type is RedeemableType.Coupon ? new Redeemable(RedeemableType.Coupon, code, 0) : new((RedeemableType)type, null, amount));

    private static readonly Gen<Cart> Carts = Gen.Select(Id, Gen.Int[0, 2].Select(i => new[] { "EUR", "USD", "JPY" }[i]), Gen.Select(Text, Gen.Int[1, 100], Gen.Long[0, 100_000]).Array[1, 5], Gen.Long[0, 999], (id, currency, lines, shipping) =>
        new Cart(id, currency, [.. lines.Select((line, i) => new CartLine($"l-{i}", line.Item1 ?? "sku", line.Item1, line.Item2, line.Item3))], shipping));

    private static readonly Gen<RedemptionRequest> Requests =
        from kind in Gen.Bool.Select(b => b ? AttemptKind.Redemption : AttemptKind.Validation)
        from ids in Gen.Select(Id, Id, Id, Id)
        from registered in Past
        from cart in Carts
        from redeemables in Redeemables.Array[0, 4]
        from texts in Gen.Select(Text, Text, Text, Text, Text)
        from ip in Gen.Int[0, 2].Select(i => new[] { "203.0.113.9", "2001:db8::1", null }[i])
        from occurred in Past
        from deadline in Past
        from origin in Gen.Select(Gen.Int[0, 676], Gen.Int[0, 676], Gen.Int[0, 676], Gen.Int[0, 8], (place, account, shipping, flags) =>
            new AttemptOrigin(Country.FromNumber(place), Country.FromNumber(account), Country.FromNumber(shipping), new[] { 0, 1, 3, 4, 12, 5, 7, 13, 15 }.Select(one => (IpFlags)one).ElementAt(flags)))
        select Hashed(new(kind, ids.Item1, ids.Item2, ids.Item3, new(ids.Item4, registered), cart, redeemables,
            new(texts.Item1, ip, texts.Item2, texts.Item3, texts.Item4, texts.Item5), PipelineRig.Start, occurred, deadline, default, Origin: origin));

    [Fact]
    public void What_a_gateway_sends_is_the_request_that_it_was_given() => Requests.Sample(request =>
    {
        var observed = Observed(EventBodies.Of(request), request.At, headers: HeadersOf(request));
        Assert.Equal(Line(request), Line(observed.Request));
        Assert.True(request.RequestHash.Span.SequenceEqual(observed.Request.RequestHash.Span));       // the same content over HTTP and over Kafka
        Assert.Null(observed.ReplyTo);
    }, iter: 500);

    [Fact]
    public void What_a_gateway_reports_is_what_it_was_given()
    {
        var order = RecordedShop.OrderOf("o-1", 0);
        order = order with { RequestHash = CanonicalHash.OfOrder(order.Channel, order.ApiKeyId, order.Customer, order.Cart, order.Total, order.RedemptionId, order.OccurredAt) };
        var read = Report(Topics.Orders, EventBodies.Of(order), "key-1");
        Assert.Equal(("anna", Convert.ToHexString(RecordCodec.Encode(order))), (read.Key, Convert.ToHexString(read.Value.Span)));

        var returned = new OrderReturned("x-1", "o-1", "anna", 500, PipelineRig.Start, CanonicalHash.Of("return", "x-1", "key-1", "o-1", "anna", "EUR", "500"));
        read = Report(Topics.Returns, EventBodies.Of(returned, "EUR"), "key-1");
        Assert.Equal(("anna", "EUR", Convert.ToHexString(RecordCodec.Encode(returned))), (read.Key, read.Currency, Convert.ToHexString(read.Value.Span)));

        var engagement = new EngagementRecorded("e-1", "web-de", "key-1", "anna", "review", PipelineRig.Start, CanonicalHash.Of("engagement", "e-1", "key-1", "web-de", "anna", "review"));
        Assert.Equal(Convert.ToHexString(RecordCodec.Encode(engagement)), Convert.ToHexString(Report(Topics.Engagements, EventBodies.Of(engagement), "key-1").Value.Span));
        var label = new LabelRecorded("l-1", "r-1", true, "chargeback", "a note", "rita", PipelineRig.Start, new("", null, null, null, [], null, null));
        Assert.Equal(Convert.ToHexString(RecordCodec.Encode(label)), Convert.ToHexString(Report(Topics.Labels, EventBodies.Of(label), "rita").Value.Span));
        var capture = new CaptureRequested("r-1", "key-1", PipelineRig.Start);
        Assert.Equal(Convert.ToHexString(RecordCodec.Encode(capture)), Convert.ToHexString(Report(Topics.Captures, EventBodies.Of(capture), "key-1").Value.Span));
        var cancel = new VoidRequested("r-1", "key-1", "payment failed", PipelineRig.Start);
        Assert.Equal(Convert.ToHexString(RecordCodec.Encode(cancel)), Convert.ToHexString(Report(Topics.Voids, EventBodies.Of(cancel), "key-1").Value.Span));
    }

    [Fact]
    public void A_record_speaks_for_the_topics_key_or_for_the_one_that_it_names()
    {
        Assert.Equal("kafka", Observed(Body("web-de")).Request.ApiKeyId);
        Assert.Equal("erp", RecordCodec.DecodeOrder(Report(Topics.Orders, EventBodies.Of(RecordedShop.OrderOf("o-1", 0)), null).Value.Span).ApiKeyId);
        Assert.Equal("shop-7", Observed(Body("web-de"), headers: [Header("api-key", "shop-7")]).Request.ApiKeyId);
        var deaf = new CheckoutIntake(Inputs, new(TakesApiKeyHeader: false), Time);
        Assert.Equal("kafka", Observed(Body("web-de"), headers: [Header("api-key", "shop-7")], intake: deaf).Request.ApiKeyId);
    }

    [Fact]
    public void Event_time_lateness_deadline_and_address_come_from_the_record()
    {
        var at = PipelineRig.Start.Plus(TimeSpan.FromMinutes(-20));
        var observed = Observed(Body("web-de"), at, PipelineRig.Start.Plus(TimeSpan.FromMinutes(-5)),
            [Header("deadline", "1772366400123"), Header("reply-to", "api-1"), Header("reply-partition", "3"), Header("correlation", "77"), Header("kind", "validation")]);
        Assert.Equal((at, 15 * 60_000L, new EventTime(1_772_366_400_123), AttemptKind.Validation), (observed.Request.At, observed.Request.LateByMs, observed.Request.Deadline!.Value, observed.Request.Kind));
        Assert.Equal(new ReplyAddress(3, "api-1", 77), observed.ReplyTo);
        Assert.Equal(0, Observed(Body("web-de"), at, at).Request.LateByMs);
    }

    [Fact]
    public void Which_entities_count_is_the_channels_policy()
    {
        Assert.Equal("d-1", Observed(Body("web-de")).Entities.Device);
        var till = Observed(Body("pos-17")).Entities;
        Assert.Equal((null, null, null, "anna"), (till.Device, till.Ip, till.Network, till.Customer));
    }

    [Theory]
    //          reason                          topic                      value                                             header
    [InlineData("malformed_json",               "redemption-requests",     "{",                                              null)]
    [InlineData("malformed_json",               "redemption-requests",     "",                                               null)]
    [InlineData("malformed_json",               "redemption-requests",     "null",                                           null)]
    [InlineData("unknown_field",                "redemption-requests",     """{"id":"r-1","redemables":[]}""",               null)]
    [InlineData("invalid_request: /id",         "redemption-requests",     """{"channel":"web-de"}""",                       null)]
    [InlineData("invalid_request: /redemption_id", "captures",             """{"redemption_id":"ä"}""",                      null)]
    [InlineData("invalid_request: /redemption_id", "voids",                """{}""",                                         null)]
    [InlineData("invalid_request: /id",         "labels",                  """{"redemption_id":"r","abuse":true,"source":"import"}""", null)]
    [InlineData("invalid_request: /order_id",   "returns",                 """{"id":"x","customer_id":"c","amount":{"amount":1,"currency":"EUR"}}""", null)]
    [InlineData("invalid_request: /id",         "engagements",             """{"channel":"web","customer_id":"c","type":"review"}""", null)]
    [InlineData("invalid_request: /order/id",   "orders",                  """{"channel":"web"}""",                          null)]
    [InlineData("invalid_header: 'deadline'",   "redemption-requests",     "body",                                           "deadline=soon")]
    [InlineData("invalid_header: 'kind'",       "redemption-requests",     "body",                                           "kind=guess")]
    [InlineData("invalid_header: 'api-key'",    "redemption-requests",     "body",                                           "api-key=a key")]
    [InlineData("invalid_header: 'reply-to'",   "redemption-requests",     "body",                                           "reply-to=api-1")]
    [InlineData("invalid_header: 'reply-to'",   "redemption-requests",     "body",                                           "reply-to=api-1,reply-partition=4,correlation=1")]
    [InlineData("invalid_header: 'correlation'", "redemption-requests",    "body",                                           "reply-to=api-1,reply-partition=0,correlation=-1")]
    public void What_is_wrong_is_refused_with_a_code_and_a_sentence(string reason, string topic, string value, string? headers)
    {
        var record = Record(topic, value == "body" ? Body("web-de") : Encoding.UTF8.GetBytes(value), PipelineRig.Start, default,
            [.. (headers ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(header => Header(header.Split('=')[0], header.Split('=')[1]))]);
        Assert.StartsWith(reason, Assert.Throws<InvalidDataException>(() => Intake.Accept(record, new ArrayBufferWriter<byte>())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_too_large_or_ahead_of_the_clock_is_refused()
    {
        var large = Record(Topics.Requests, new byte[Bounds.BodyMax + 1], PipelineRig.Start);
        Assert.StartsWith("too_large", Assert.Throws<InvalidDataException>(() => Intake.Accept(large, new ArrayBufferWriter<byte>())).Message, StringComparison.Ordinal);
        Observed(Body("web-de"), PipelineRig.Start.Plus(TimeSpan.FromMinutes(1)));
        var ahead = Record(Topics.Requests, Body("web-de"), PipelineRig.Start.Plus(TimeSpan.FromMilliseconds(60_001)));
        Assert.StartsWith("in_future", Assert.Throws<InvalidDataException>(() => Intake.Accept(ahead, new ArrayBufferWriter<byte>())).Message, StringComparison.Ordinal);
    }

    private static byte[] Body(string channel) => EventBodies.Of(PipelineRig.Request("r-1") with { Channel = channel });

    private static ObservedRequest Observed(byte[] value, EventTime? at = null, EventTime streamTime = default, KeyValuePair<string, byte[]>[]? headers = null, CheckoutIntake? intake = null)
    {
        var output = new ArrayBufferWriter<byte>();
        (intake ?? Intake).Accept(Record(Topics.Requests, value, at ?? PipelineRig.Start, streamTime, headers), output);
        return ObservedRequest.Decode(output.WrittenSpan);
    }

    private static Report Report(string topic, byte[] value, string? apiKey)
    {
        var output = new ArrayBufferWriter<byte>();
        Intake.Accept(Record(topic, value, PipelineRig.Start, default, apiKey is null ? [] : [Header("api-key", apiKey)]), output);
        var report = Records.Report.Read(output.WrittenSpan);
        Assert.Equal((topic, 5, 99L), (report.Topic, report.Partition, report.Offset));
        return report;
    }

    private static IncomingRecord Record(string topic, byte[] value, EventTime at, EventTime streamTime = default, KeyValuePair<string, byte[]>[]? headers = null) =>
        new(topic, 5, 99, default, value, at, streamTime, headers ?? []);

    private static KeyValuePair<string, byte[]>[] HeadersOf(RedemptionRequest request)
    {
        List<KeyValuePair<string, byte[]>> headers = [Header("api-key", request.ApiKeyId)];
        if (request.Deadline is { } deadline) headers.Add(Header("deadline", $"{deadline.UnixMilliseconds}"));
        if (request.Kind is AttemptKind.Validation) headers.Add(Header("kind", "validation"));
        return [.. headers];
    }

    private static KeyValuePair<string, byte[]> Header(string name, string value) => new(name, Encoding.UTF8.GetBytes(value));

    private static string Line(RedemptionRequest request) => Convert.ToHexString(RecordCodec.Encode(request));

    private static RedemptionRequest Hashed(RedemptionRequest request) => request with
    {
        RequestHash = CanonicalHash.Of(request.Kind, request.Id, request.Channel, request.ApiKeyId, request.Customer, request.Cart, request.Redeemables, request.Context, request.OccurredAt, request.Origin),
    };
}
