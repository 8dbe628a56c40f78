using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Promotions.Contracts;

/// <summary>Money on the wire: <c>{"amount": 1250, "currency": "EUR"}</c>.</summary>
[Description("An exact amount of money in minor units (cents for EUR, yen for JPY).")]
public sealed class MoneyBody
{
    public MoneyBody() { }

    public MoneyBody(long amount, string currency)
    {
        Amount = amount;
        Currency = currency;
    }

    [Required, Description("Minor units.")]
    public long? Amount { get; set; }

    [Required, RegularExpression("^[A-Z]{3}$"), Description("ISO 4217 code.")]
    public string? Currency { get; set; }
}

/// <summary>An amount of a balance: money as <c>{"amount", "currency"}</c>, points as a bare integer.</summary>
/// <param name="Value">Minor units, or points.</param>
/// <param name="Currency">Null for points.</param>
[JsonConverter(typeof(QuantityConverter))]
public sealed record QuantityBody(long Value, string? Currency)
{
    /// <summary>The unit as the ledger names it: an ISO currency, or <c>points</c>.</summary>
    public static QuantityBody Of(long value, string unit) => new(value, unit == "points" ? null : unit);
}

/// <summary>Reads and writes a <see cref="QuantityBody"/>, as strict as the rest: both members once, nothing else.</summary>
public sealed class QuantityConverter : JsonConverter<QuantityBody>
{
    public override QuantityBody Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType is JsonTokenType.Number)
            return reader.TryGetInt64(out var points) ? new(points, null) : throw new JsonException();
        if (reader.TokenType is not JsonTokenType.StartObject) throw new JsonException();

        long? amount = null;
        string? currency = null;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("amount"u8) && amount is null)
            {
                reader.Read();
                if (reader.TokenType is not JsonTokenType.Number || !reader.TryGetInt64(out var value)) throw new JsonException();
                amount = value;
            }
            else if (reader.ValueTextEquals("currency"u8) && currency is null)
            {
                reader.Read();
                if (reader.TokenType is not JsonTokenType.String) throw new JsonException();
                currency = reader.GetString();
            }
            else throw new JsonException();
        }
        return amount is { } read && currency is not null ? new(read, currency) : throw new JsonException();
    }

    public override void Write(Utf8JsonWriter writer, QuantityBody value, JsonSerializerOptions options)
    {
        if (value.Currency is null)
        {
            writer.WriteNumberValue(value.Value);
            return;
        }
        writer.WriteStartObject();
        writer.WriteNumber("amount"u8, value.Value);
        writer.WriteString("currency"u8, value.Currency);
        writer.WriteEndObject();
    }
}
