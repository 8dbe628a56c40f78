using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Analytics.Results;
using Promotions.Domain;

namespace Promotions.Api.Endpoints;

/// <summary>The analytics' own words on the wire.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(EventTimeConverter), typeof(SnakeEnums)])]
[JsonSerializable(typeof(CampaignResult))]
internal sealed partial class ResultsJson : JsonSerializerContext;

/// <summary>Enum members in snake_case.</summary>
internal sealed class SnakeEnums() : JsonStringEnumConverter<Domain.Campaigns.Arm>(JsonNamingPolicy.SnakeCaseLower);

/// <summary>UTC ISO-8601.</summary>
internal sealed class EventTimeConverter : JsonConverter<EventTime>
{
    public override EventTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => EventTime.From(reader.GetDateTimeOffset());

    public override void Write(Utf8JsonWriter writer, EventTime value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
