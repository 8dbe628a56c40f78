using System.Buffers;
using Promotions.Domain.Events;

namespace Promotions.Processing.Records;

/// <summary>Names of the topics, equal to the Kafka topics of the scaled set.</summary>
public static class Topics
{
    public const string Requests = "redemption-requests";
    public const string Outcomes = "outcomes";
    public const string Orders = "orders";
    public const string Returns = "returns";
    public const string Engagements = "engagements";
    public const string Labels = "labels";
    public const string Captures = "captures";
    public const string Voids = "voids";

    /// <summary>What a topology's end hands to the ledger; under Kafka, what checkout reads.</summary>
    public const string Decisions = "redemption-decisions";

    /// <summary>An attempt decided again because a campaign changed under it: observed before, so replay does not observe it.</summary>
    public const string Repriced = "redemption-repriced";
}

/// <summary>The byte form of everything that enters the log. The first byte is the record version.</summary>
public static class RecordCodec
{
    private const byte Version = 1;

    public static byte[] Encode(RedemptionRequest request)
    {
        var buffer = RecordBuffer.Empty();
        Write(request, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    internal static void Write(RedemptionRequest request, ArrayBufferWriter<byte> output)
    {
        var w = Start(output);
        w.Byte((byte)request.Kind);
        w.Text(request.Id);
        w.Text(request.Channel);
        w.Text(request.ApiKeyId);
        Write(w, request.Customer);
        Write(w, request.Cart);
        w.Count(request.Redeemables.Count);
        foreach (var redeemable in request.Redeemables)
        {
            w.Byte((byte)redeemable.Type);
            w.Text(redeemable.Code);
            w.Int64(redeemable.Amount);
        }

        w.Text(request.Context.DeviceId);
        w.Text(request.Context.Ip);
        w.Text(request.Context.UserAgent);
        w.Text(request.Context.PaymentToken);
        w.Text(request.Context.AddressId);
        w.Text(request.Context.Session);
        w.Time(request.At);
        w.OptionalTime(request.OccurredAt);
        w.OptionalTime(request.Deadline);
        w.Bytes(request.RequestHash.Span);
        w.Int64(request.LateByMs);
        if (request.Origin != default) w.Int64(request.Origin.Packed);      // behind what it always had: older records end here
    }

    public static RedemptionRequest DecodeRequest(ReadOnlySpan<byte> bytes)
    {
        var r = Start(bytes);
        var kind = r.Byte() is var k and (1 or 2) ? (AttemptKind)k : throw new InvalidDataException("No such attempt kind.");
        var id = r.Text();
        var channel = r.Text();
        var key = r.Text();
        var customer = ReadCustomer(ref r);
        var cart = ReadCart(ref r);
        var redeemables = new Redeemable[CountOf(ref r)];
        for (var i = 0; i < redeemables.Length; i++) redeemables[i] = new((RedeemableType)r.Byte(), r.OptionalText(), r.Int64());
        var context = new AttemptContext(r.OptionalText(), r.OptionalText(), r.OptionalText(), r.OptionalText(), r.OptionalText(), r.OptionalText());
        return End(new RedemptionRequest(kind, id, channel, key, customer, cart, redeemables, context, r.Time(), r.OptionalTime(), r.OptionalTime(), r.Bytes(), r.Int64(), r.AtEnd ? default : OriginOf(r.Int64())), r);
    }

    private static AttemptOrigin OriginOf(long packed) => AttemptOrigin.TryUnpack(packed, out var origin) ? origin : throw new InvalidDataException($"No origin packs as {packed:x16}.");

    public static byte[] Encode(RedemptionOutcome outcome)
    {
        var output = RecordBuffer.Empty();
        var w = Start(output);
        w.Text(outcome.RedemptionId);
        w.Byte((byte)outcome.Kind);
        w.Byte((byte)outcome.Status);
        w.Text(outcome.ReasonCode);
        w.Bool(outcome.InvalidCode);
        w.Int64(outcome.DiscountMinorUnits);
        w.Time(outcome.At);
        Write(w, outcome.Entities);
        return output.WrittenSpan.ToArray();
    }

    public static RedemptionOutcome DecodeOutcome(ReadOnlySpan<byte> bytes)
    {
        var r = Start(bytes);
        return End(new RedemptionOutcome(r.Text(), (AttemptKind)r.Byte(), (RedemptionStatus)r.Byte(), r.Text(), r.Bool(), r.Int64(), r.Time(), ReadEntities(ref r)), r);
    }

    /// <summary>An outcome's status, without decoding the rest.</summary>
    public static RedemptionStatus StatusOfOutcome(ReadOnlySpan<byte> bytes)
    {
        var r = Start(bytes);
        r.SkipText();
        r.Byte();
        return (RedemptionStatus)r.Byte();
    }

    public static byte[] Encode(OrderPlaced order)
    {
        var output = RecordBuffer.Empty();
        var w = Start(output);
        w.Text(order.Id);
        w.Text(order.Channel);
        w.Text(order.ApiKeyId);
        Write(w, order.Customer);
        Write(w, order.Cart);
        w.Int64(order.Total);
        w.Text(order.RedemptionId);
        w.Time(order.At);
        w.OptionalTime(order.OccurredAt);
        w.Bytes(order.RequestHash.Span);
        return output.WrittenSpan.ToArray();
    }

    public static OrderPlaced DecodeOrder(ReadOnlySpan<byte> bytes)
    {
        var r = Start(bytes);
        return End(new OrderPlaced(r.Text(), r.Text(), r.Text(), ReadCustomer(ref r), ReadCart(ref r), r.Int64(), r.OptionalText(), r.Time(), r.OptionalTime(), r.Bytes()), r);
    }

    public static byte[] Encode(OrderReturned returned)
    {
        var output = RecordBuffer.Empty();
        var w = Start(output);
        w.Text(returned.Id);
        w.Text(returned.OrderId);
        w.Text(returned.CustomerId);
        w.Int64(returned.Amount);
        w.Time(returned.At);
        w.Bytes(returned.RequestHash.Span);
        return output.WrittenSpan.ToArray();
    }

    public static OrderReturned DecodeReturn(ReadOnlySpan<byte> bytes)
    {
        var r = Start(bytes);
        return End(new OrderReturned(r.Text(), r.Text(), r.Text(), r.Int64(), r.Time(), r.Bytes()), r);
    }

    public static byte[] Encode(EngagementRecorded engagement)
    {
        var output = RecordBuffer.Empty();
        var w = Start(output);
        w.Text(engagement.Id);
        w.Text(engagement.Channel);
        w.Text(engagement.ApiKeyId);
        w.Text(engagement.CustomerId);
        w.Text(engagement.Type);
        w.Time(engagement.At);
        w.Bytes(engagement.RequestHash.Span);
        return output.WrittenSpan.ToArray();
    }

    public static EngagementRecorded DecodeEngagement(ReadOnlySpan<byte> bytes)
    {
        var r = Start(bytes);
        return End(new EngagementRecorded(r.Text(), r.Text(), r.Text(), r.Text(), r.Text(), r.Time(), r.Bytes()), r);
    }

    public static byte[] Encode(LabelRecorded label)
    {
        var output = RecordBuffer.Empty();
        var w = Start(output);
        w.Text(label.Id);
        w.Text(label.RedemptionId);
        w.Bool(label.Abuse);
        w.Text(label.Source);
        w.Text(label.Note);
        w.Text(label.Actor);
        w.Time(label.At);
        Write(w, label.Entities);
        return output.WrittenSpan.ToArray();
    }

    public static LabelRecorded DecodeLabel(ReadOnlySpan<byte> bytes)
    {
        var r = Start(bytes);
        return End(new LabelRecorded(r.Text(), r.Text(), r.Bool(), r.Text(), r.OptionalText(), r.Text(), r.Time(), ReadEntities(ref r)), r);
    }

    public static byte[] Encode(CaptureRequested capture)
    {
        var output = RecordBuffer.Empty();
        var w = Start(output);
        w.Text(capture.RedemptionId);
        w.Text(capture.ApiKeyId);
        w.Time(capture.At);
        return output.WrittenSpan.ToArray();
    }

    public static CaptureRequested DecodeCapture(ReadOnlySpan<byte> bytes)
    {
        var r = Start(bytes);
        return End(new CaptureRequested(r.Text(), r.Text(), r.Time()), r);
    }

    public static byte[] Encode(VoidRequested request)
    {
        var output = RecordBuffer.Empty();
        var w = Start(output);
        w.Text(request.RedemptionId);
        w.Text(request.ApiKeyId);
        w.Text(request.Reason);
        w.Time(request.At);
        return output.WrittenSpan.ToArray();
    }

    public static VoidRequested DecodeVoid(ReadOnlySpan<byte> bytes)
    {
        var r = Start(bytes);
        return End(new VoidRequested(r.Text(), r.Text(), r.OptionalText(), r.Time()), r);
    }

    private static RecordWriter Start(ArrayBufferWriter<byte> output)
    {
        var writer = new RecordWriter(output);
        writer.Byte(Version);
        return writer;
    }

    private static RecordReader Start(ReadOnlySpan<byte> bytes)
    {
        var reader = new RecordReader(bytes);
        var version = reader.Byte();
        return version == Version ? reader : throw new InvalidDataException($"Record version {version} is not known here; this build writes {Version}.");
    }

    private static T End<T>(T record, in RecordReader reader) =>
        reader.AtEnd ? record : throw new InvalidDataException($"Bytes are left behind a {typeof(T).Name}.");

    private static int CountOf(ref RecordReader reader)
    {
        var count = reader.Count();
        return count <= 10_000 ? count : throw new InvalidDataException($"A list of {count} is too long.");
    }

    private static void Write(in RecordWriter w, CustomerRef customer)
    {
        w.Text(customer.Id);
        w.OptionalTime(customer.RegisteredAt);
    }

    private static CustomerRef ReadCustomer(ref RecordReader r) => new(r.Text(), r.OptionalTime());

    private static void Write(in RecordWriter w, Cart cart)
    {
        w.Text(cart.OrderId);
        w.Text(cart.Currency);
        w.Count(cart.Lines.Count);
        foreach (var line in cart.Lines)
        {
            w.Text(line.Line);
            w.Text(line.Sku);
            w.Text(line.Category);
            w.Int64(line.Quantity);
            w.Int64(line.UnitPrice);
        }

        w.Int64(cart.Shipping);
    }

    private static Cart ReadCart(ref RecordReader r)
    {
        var orderId = r.Text();
        var currency = r.Text();
        var lines = new CartLine[CountOf(ref r)];
        for (var i = 0; i < lines.Length; i++) lines[i] = new(r.Text(), r.Text(), r.OptionalText(), Quantity(ref r), r.Int64());
        return new(orderId, currency, lines, r.Int64());
    }

    private static int Quantity(ref RecordReader r)
    {
        var quantity = r.Int64();
        return quantity is >= int.MinValue and <= int.MaxValue ? (int)quantity : throw new InvalidDataException($"A quantity of {quantity} is too large.");
    }

    internal static void Write(in RecordWriter w, AttemptEntities entities)
    {
        w.Text(entities.Customer);
        w.Text(entities.Device);
        w.Text(entities.Ip);
        w.Text(entities.Network);
        w.Count(entities.Codes.Count);
        foreach (var code in entities.Codes) w.Text(code);
        w.Text(entities.PaymentToken);
        w.Text(entities.Address);
    }

    internal static AttemptEntities ReadEntities(ref RecordReader r)
    {
        var customer = r.Text();
        var device = r.OptionalText();
        var ip = r.OptionalText();
        var network = r.OptionalText();
        var codes = new string[CountOf(ref r)];
        for (var i = 0; i < codes.Length; i++) codes[i] = r.Text();
        return new(customer, device, ip, network, codes, r.OptionalText(), r.OptionalText());
    }
}
