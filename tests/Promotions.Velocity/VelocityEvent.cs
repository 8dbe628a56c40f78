using System.Globalization;
using System.Text.Json;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Streams;

namespace Promotions.Velocity;

/// <summary>A redemption request, as far as velocity counts it.</summary>
/// <param name="Amount">Sum of the lines' unit prices. Unit: minor units.</param>
public sealed record VelocityEvent(string Id, string Customer, string Device, string Ip, string Code, long Amount, EventTime At)
{
    /// <summary>In the order of the output.</summary>
    public static readonly EntityKind[] Kinds = [EntityKind.Customer, EntityKind.Device, EntityKind.Ip, EntityKind.Coupon];

    public EntityKey KeyOf(EntityKind kind) => EntityKey.Of(kind, kind switch
    {
        EntityKind.Customer => Customer,
        EntityKind.Device => Device,
        EntityKind.Ip => Ip,
        _ => Code,
    });
}

/// <summary>Reads the JSON body of a redemption request.</summary>
internal sealed class VelocityEventDecoder : IDecoder<VelocityEvent>
{
    public VelocityEvent Decode(ReadOnlySpan<byte> bytes)
    {
        string? id = null, customer = null, device = null, ip = null, code = null;
        EventTime? at = null;
        var amount = 0L;
        var reader = new Utf8JsonReader(bytes);
        try
        {
            var inCustomer = false;
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.EndObject) inCustomer = false;
                if (reader.TokenType is not JsonTokenType.PropertyName) continue;
                if (reader.ValueTextEquals("customer"u8) && reader.CurrentDepth == 1) inCustomer = true;
                else if (reader.ValueTextEquals("id"u8) && inCustomer) customer = Text(ref reader);
                else if (reader.ValueTextEquals("id"u8) && reader.CurrentDepth == 1) id = Text(ref reader);
                else if (reader.ValueTextEquals("device_id"u8)) device = Text(ref reader);
                else if (reader.ValueTextEquals("ip"u8)) ip = Text(ref reader);
                else if (reader.ValueTextEquals("code"u8)) code = Text(ref reader);
                else if (reader.ValueTextEquals("unit_price"u8) && reader.Read()) amount = checked(amount + reader.GetInt64());
                else if (reader.ValueTextEquals("occurred_at"u8) && reader.Read()) at = EventTime.From(reader.GetDateTimeOffset());
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new InvalidDataException("The body is no redemption request: " + e.Message, e);
        }

        return new(id ?? throw Missing("id"), customer ?? throw Missing("customer.id"), device ?? throw Missing("context.device_id"), ip ?? throw Missing("context.ip"),
            code ?? throw Missing("a code"), amount, at ?? throw Missing("occurred_at"));
    }

    private static string Text(ref Utf8JsonReader reader) => reader.Read() ? reader.GetString() ?? "" : "";

    private static InvalidDataException Missing(string what) => new(string.Create(CultureInfo.InvariantCulture, $"The request names no {what}."));
}
