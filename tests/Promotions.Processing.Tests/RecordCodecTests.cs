using System.Text.Json;
using CsCheck;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Processing.Records;

namespace Promotions.Processing.Tests;

public class RecordCodecTests
{
    private static readonly Gen<string> Text = Gen.OneOf(Gen.String[Gen.Char.AlphaNumeric, 0, 70], Gen.String[Gen.Char.AlphaNumeric, 250, 400], Gen.Const("grün ☂"));
    private static readonly Gen<string?> Maybe = Gen.OneOf(Text.Select(t => (string?)t), Gen.Const((string?)null));
    private static readonly Gen<EventTime> Time = Gen.Long[0, 4_000_000_000_000].Select(ms => new EventTime(ms));
    private static readonly Gen<EventTime?> MaybeTime = Gen.OneOf(Time.Select(t => (EventTime?)t), Gen.Const((EventTime?)null));
    private static readonly Gen<CustomerRef> Customer = Gen.Select(Text, MaybeTime, (id, at) => new CustomerRef(id, at));

    private static readonly Gen<CartLine> Line =
        Gen.Select(Text, Text, Maybe, Gen.Int[1, 100_000], Gen.Long[0, 1_000_000_000_000], (l, s, c, q, p) => new CartLine(l, s, c, q, p));

    private static readonly Gen<Cart> Carts =
        Gen.Select(Text, Text, Line.Array[0, 5], Gen.Long[0, 10_000], (id, currency, lines, shipping) => new Cart(id, currency, lines, shipping));

    private static readonly Gen<AttemptEntities> Entities =
        Gen.Select(Text, Maybe, Maybe, Maybe, Text.Array[0, 3], Maybe, Maybe, (c, d, i, n, codes, p, a) => new AttemptEntities(c, d, i, n, codes, p, a));

    private static readonly Gen<AttemptOrigin> Origins = Gen.Select(Gen.Int[0, 676], Gen.Int[0, 676], Gen.Int[0, 676], Gen.Int[0, 15], (ip, account, shipping, flags) =>
        new AttemptOrigin(Country.FromNumber(ip), Country.FromNumber(account), Country.FromNumber(shipping), (IpFlags)flags));

    private static readonly Gen<RedemptionRequest> Requests =
        from kind in Gen.Bool.Select(b => b ? AttemptKind.Redemption : AttemptKind.Validation)
        from names in Gen.Select(Text, Text, Text)
        from customer in Customer
        from cart in Carts
        from redeemables in Gen.Select(Gen.Int[1, 5], Maybe, Gen.Long[0, 1_000], (t, c, a) => new Redeemable((RedeemableType)t, c, a)).Array[0, 4]
        from context in Gen.Select(Maybe, Maybe, Maybe, (a, b, c) => new AttemptContext(a, b, c, b, a, c))
        from at in Time
        from occurred in MaybeTime
        from deadline in MaybeTime
        from hash in Gen.Byte.Array[32]
        from late in Gen.Long[0, 600_000]
        from origin in Origins
        select new RedemptionRequest(kind, names.Item1, names.Item2, names.Item3, customer, cart, redeemables, context, at, occurred, deadline, hash, late, origin);

    [Fact]
    public void What_was_written_is_read_back() => Requests.Sample(request =>
        Assert.Equal(JsonSerializer.Serialize(request), JsonSerializer.Serialize(RecordCodec.DecodeRequest(RecordCodec.Encode(request)))), iter: 300);

    [Fact]
    public void A_request_of_before_there_were_origins_is_read_and_written_as_ever() => Requests.Sample(request =>
    {
        var with = RecordCodec.Encode(request with { Origin = new(Country.FromNumber(1), default, default, IpFlags.None) });
        var without = RecordCodec.Encode(request with { Origin = default });
        Assert.Equal(with[..without.Length], without);
        Assert.Equal(default, RecordCodec.DecodeRequest(without).Origin);
    }, iter: 50);

    [Fact]
    public void An_outcome_is_read_back() => Gen.Select(Text, Text, Gen.Bool, Gen.Long, Time, Entities, (id, reason, invalid, discount, at, entities) =>
            new RedemptionOutcome(id, AttemptKind.Redemption, RedemptionStatus.Blocked, reason, invalid, discount, at, entities))
        .Sample(o => Assert.Equal(JsonSerializer.Serialize(o), JsonSerializer.Serialize(RecordCodec.DecodeOutcome(RecordCodec.Encode(o)))), iter: 200);

    [Fact]
    public void Orders_labels_and_hold_ends_are_read_back()
    {
        Gen.Select(Customer, Carts, Maybe, Time, (c, cart, redemption, at) => new OrderPlaced("o", "web", "k", c, cart, 17, redemption, at, null, new byte[32]))
            .Sample(o => Assert.Equal(JsonSerializer.Serialize(o), JsonSerializer.Serialize(RecordCodec.DecodeOrder(RecordCodec.Encode(o)))), iter: 100);
        Gen.Select(Text, Gen.Bool, Maybe, Time, Entities, (id, abuse, note, at, e) => new LabelRecorded(id, "r", abuse, "review", note, "anna", at, e))
            .Sample(l => Assert.Equal(JsonSerializer.Serialize(l), JsonSerializer.Serialize(RecordCodec.DecodeLabel(RecordCodec.Encode(l)))), iter: 100);
        var capture = new CaptureRequested("r", "k", new(5));
        Assert.Equal(capture, RecordCodec.DecodeCapture(RecordCodec.Encode(capture)));
        var cancel = new VoidRequested("r", "k", null, new(5));
        Assert.Equal(cancel, RecordCodec.DecodeVoid(RecordCodec.Encode(cancel)));
        var engagement = new EngagementRecorded("e", "web", "k", "c", "review", new(5), new byte[32]);
        Assert.Equal(JsonSerializer.Serialize(engagement), JsonSerializer.Serialize(RecordCodec.DecodeEngagement(RecordCodec.Encode(engagement))));
        var returned = new OrderReturned("x", "o", "c", 700, new(5), new byte[32]);
        Assert.Equal(JsonSerializer.Serialize(returned), JsonSerializer.Serialize(RecordCodec.DecodeReturn(RecordCodec.Encode(returned))));
    }

    [Fact]
    public void Damaged_bytes_are_a_poison_record_and_nothing_worse() => Gen.Select(Requests, Gen.Int[0, 400], Gen.Byte).Sample((request, at, value) =>
    {
        var bytes = RecordCodec.Encode(request);
        bytes[at % bytes.Length] = value;
        try
        {
            RecordCodec.DecodeRequest(bytes.AsSpan(0, bytes.Length - (at % 3)));
        }
        catch (InvalidDataException)
        {
            // The one exception that the topology turns into a dead letter.
        }
    }, iter: 2_000);

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    [InlineData(677)]
    [InlineData(677L << 32)]
    [InlineData(256L << 48)]
    public void An_origin_that_is_none_is_a_poison_record_too(long packed)
    {
        var origin = new AttemptOrigin(Country.FromNumber(1), default, default, IpFlags.None);
        var bytes = RecordCodec.Encode(PipelineRig.Request("r-1") with { Origin = origin });
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(bytes.Length - 8), packed);
        Assert.Throws<InvalidDataException>(() => RecordCodec.DecodeRequest(bytes));
    }

    [Fact]
    public void A_later_record_version_is_refused_by_name()
    {
        var bytes = RecordCodec.Encode(new CaptureRequested("r", "k", new(5)));
        bytes[0] = 9;
        Assert.Contains("version 9", Assert.Throws<InvalidDataException>(() => RecordCodec.DecodeCapture(bytes)).Message, StringComparison.Ordinal);
    }
}
