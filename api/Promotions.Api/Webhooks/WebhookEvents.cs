using System.Globalization;
using System.Text.Json;
using Promotions.Ledger;

namespace Promotions.Api.Webhooks;

/// <summary>What committed facts are called outside, and what is told of them. Fields may be added within version 1; none is taken away.</summary>
public static class WebhookEvents
{
    public const string FlagRaised = "flag.raised";
    public const string FlagAnswered = "flag.answered";
    public const string Decided = "redemption.decided";
    public const string Captured = "redemption.captured";
    public const string Voided = "redemption.voided";
    public const string Expired = "redemption.expired";
    public const string Test = "test";

    /// <summary>Those that an endpoint can ask for.</summary>
    public static readonly string[] All = [FlagRaised, FlagAnswered, Decided, Captured, Voided, Expired];

    /// <summary>The same fact has the same id, however often it is sent: a receiver drops what it has seen.</summary>
    public static string IdOf(OutboxEvent row, string type) => string.Create(CultureInfo.InvariantCulture, $"evt-{row.Position}-{type}");

    /// <summary>The bodies that this row makes for an endpoint: a flagged decision can be two.</summary>
    /// <param name="events">Those that it asked for.</param>
    /// <param name="level">A flag from this probability on, or by a hard rule, is raised; 0 to 1.</param>
    public static IReadOnlyList<(string Type, byte[] Body)> Of(OutboxEvent row, IReadOnlyList<string> events, double level) => row.Type switch
    {
        OutboxTypes.Decision when Wants(events, Decided) || Wants(events, FlagRaised) => OfDecision(row, events, level),
        OutboxTypes.Label when Wants(events, FlagAnswered) => OfLabel(row),
        OutboxTypes.HoldCaptured when Wants(events, Captured) => OfHold(row, Captured),
        OutboxTypes.HoldVoided when Wants(events, Voided) => OfHold(row, Voided),
        OutboxTypes.HoldExpired when Wants(events, Expired) => OfHold(row, Expired),
        _ => [],
    };

    private static bool Wants(IReadOnlyList<string> events, string name) => events.Contains(name, StringComparer.Ordinal);

    private static List<(string Type, byte[] Body)> OfDecision(OutboxEvent row, IReadOnlyList<string> events, double level)
    {
        using var json = JsonDocument.Parse(row.Payload);
        var fact = json.RootElement;
        var bodies = new List<(string, byte[])>(2);
        if (Text(fact, "kind") != "redemption") return bodies;
        if (Wants(events, Decided)) bodies.Add((Decided, Write(Decided, row, to => WriteDecision(to, fact))));
        if (Wants(events, FlagRaised) && IsRaised(fact, level)) bodies.Add((FlagRaised, Write(FlagRaised, row, to => WriteFlag(to, fact))));
        return bodies;
    }

    private static (string Type, byte[] Body)[] OfLabel(OutboxEvent row)
    {
        using var json = JsonDocument.Parse(row.Payload);
        var fact = json.RootElement;
        return Text(fact, "source") == "review" ? [(FlagAnswered, Write(FlagAnswered, row, to => Copy(to, fact, "redemption_id", "abuse", "actor", "note")))] : [];
    }

    private static (string Type, byte[] Body)[] OfHold(OutboxEvent row, string type)
    {
        using var json = JsonDocument.Parse(row.Payload);
        var fact = json.RootElement;
        return [(type, Write(type, row, to =>
        {
            Copy(to, fact, "redemption_id");
            to.WriteString("customer_id", Text(fact, "customer"));
            Copy(to, fact, "channel", "currency", "reason");
        }))];
    }

    public static byte[] TestBody(Domain.EventTime now) => Write(Test, now, to => to.WriteString("sentence", "A test of this endpoint. Nothing happened."));

    private static bool IsRaised(JsonElement fact, double level) => Text(fact, "status") is "review" or "blocked" && fact.GetProperty("risk") is var risk
        && (risk.GetProperty("hard_rule").ValueKind is JsonValueKind.String || (risk.GetProperty("probability") is { ValueKind: JsonValueKind.Number } probability && probability.GetDouble() >= level));

    private static void WriteDecision(Utf8JsonWriter to, JsonElement fact)
    {
        to.WriteString("redemption_id", Text(fact, "id"));
        to.WriteString("customer_id", Text(fact, "customer"));
        Copy(to, fact, "channel", "order_id", "currency", "order_total", "discount", "status", "refusal", "hold_expires_at");
    }

    private static void WriteFlag(Utf8JsonWriter to, JsonElement fact)
    {
        WriteDecision(to, fact);
        var risk = fact.GetProperty("risk");
        Copy(to, risk, "probability", "hard_rule");
        to.WriteStartArray("reasons");
        foreach (var reason in risk.GetProperty("reasons").EnumerateArray()) to.WriteStringValue(Text(reason, "sentence"));
        to.WriteEndArray();
    }

    private static byte[] Write(string type, OutboxEvent row, Action<Utf8JsonWriter> data) => Write(type, row.At, data);

    private static byte[] Write(string type, Domain.EventTime at, Action<Utf8JsonWriter> data)
    {
        using var bytes = new MemoryStream(512);
        using (var to = new Utf8JsonWriter(bytes))
        {
            to.WriteStartObject();
            to.WriteString("type", type);
            to.WriteString("timestamp", at.ToString());
            to.WriteStartObject("data");
            data(to);
            to.WriteEndObject();
            to.WriteEndObject();
        }

        return bytes.ToArray();
    }

    private static void Copy(Utf8JsonWriter to, JsonElement from, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            to.WritePropertyName(name);
            from.GetProperty(name).WriteTo(to);
        }
    }

    private static string? Text(JsonElement from, string name) => from.GetProperty(name).GetString();
}
