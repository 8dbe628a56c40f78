using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Domain;
using Promotions.Domain.Campaigns;

namespace Promotions.Ledger.Formats;

/// <summary>A campaign's version as it is stored: JSON, snake_case, times as UTC ISO-8601.</summary>
public static class CampaignJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false), new EventTimeConverter() },
    };

    public static string Write(Campaign campaign) => JsonSerializer.Serialize(campaign, Options);

    /// <exception cref="JsonException">Not a campaign.</exception>
    public static Campaign Read(string json) => JsonSerializer.Deserialize<Campaign>(json, Options) ?? throw new JsonException("A campaign's document is null.");

    private sealed class EventTimeConverter : JsonConverter<EventTime>
    {
        public override EventTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => EventTime.From(reader.GetDateTimeOffset());
        public override void Write(Utf8JsonWriter writer, EventTime value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }
}
