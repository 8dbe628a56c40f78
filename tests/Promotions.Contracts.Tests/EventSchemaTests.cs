using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Contracts.Schemas;
using Promotions.Contracts.Tests.Schemas;
using Promotions.Domain;

namespace Promotions.Contracts.Tests;

/// <summary>The schemas and intake say the same about a value: bodies that are right, and each with one thing changed in every place.</summary>
public class EventSchemaTests
{
    private const string Customer = """{"id": "c-1", "registered_at": "2025-01-02T03:04:05.1234567Z", "country": "DE"}""";

    private const string Order = """
        {"id": "o-1", "currency": "EUR", "shipping": {"amount": 490, "currency": "EUR"},
         "items": [{"line": "1", "sku": "mug", "category": "kitchen", "quantity": 2, "unit_price": {"amount": 1500, "currency": "EUR"}},
                   {"line": "2", "sku": "shirt", "quantity": 1, "unit_price": {"amount": 0, "currency": "EUR"}}]}
        """;

    private static readonly Dictionary<string, string[]> Valid = new()
    {
        ["redemption-requests"] =
        [
            $$$"""{"id": "r-1", "channel": "web-de", "customer": {{{Customer}}}, "order": {{{Order}}}}""",
            $$$"""
            {"id": "r-1", "channel": "web-de", "customer": {{{Customer}}}, "order": {{{Order}}}, "occurred_at": "2026-03-01T12:00:00Z",
             "redeemables": [{"type": "coupon", "code": " spring "}, {"type": "points", "amount": 100}, {"type": "cash", "amount": {"amount": 500, "currency": "EUR"}}],
             "context": {"device_id": "d", "ip": "203.0.113.9", "user_agent": "Mozilla/5.0", "payment_token": "tok", "address_id": "a", "session": "s", "shipping_country": "FR", "ip_country": "NL", "ip_hosting": true, "ip_tor": false}}
            """,
        ],
        ["orders"] = [$$$"""{"channel": "web-de", "customer": {{{Customer}}}, "order": {{{Order}}}, "total": {"amount": 3490, "currency": "EUR"}, "redemption_id": "r-1", "occurred_at": "2026-03-01T12:00:00Z"}"""],
        ["returns"] = ["""{"id": "x-1", "order_id": "o-1", "customer_id": "c-1", "amount": {"amount": 1, "currency": "EUR"}}"""],
        ["engagements"] = ["""{"id": "e-1", "channel": "web-de", "customer_id": "c-1", "type": "review"}"""],
        ["labels"] = ["""{"id": "l-1", "redemption_id": "r-1", "abuse": true, "source": "chargeback", "note": "the bank said so"}"""],
        ["captures"] = ["""{"redemption_id": "r-1"}"""],
        ["voids"] = ["""{"redemption_id": "r-1", "reason": "payment failed"}"""],
    };

    /// <summary>What a schema cannot say; its $comment names them.</summary>
    private static readonly string[] Beyond = ["invalid_currency", "currency_mismatch", "repeated", "in_future", "overflow"];

    private static readonly string?[] Values =
    [
        null, "null", "true", "0", "1", "2", "-1", "1.5", "100000", "100001", "1000000000000", "1000000000001", "900000000000001", "99999999999999999999", "[]", "[null]", "{}", "[{}]",
        "\"\"", "\" \"", "\"a b\"", "\"a\\u0007b\"", "\"a\\n\"", "\"\\u00e9\"", "\"GBP\"", "\"FR\"", "\"eur\"", "\"EURO\"", "\"coupon\"", "\"points\"", "\"gift\"", "\"review\"", "\"12\"",
        "\"2026-03-01T12:00:00Z\"", "\"2026-03-01T12:00:00+01:00\"", "\"2026-02-30T12:00:00Z\"", "\"2026-03-01\"", "\"2026-03-01T12:00:00.12345678Z\"", "\"2999-01-01T00:00:00Z\"",
        "\"10.0.0.256\"", "\"010.0.0.1\"", "\"127.1\"", "\"2001:db8::1\"", "\"::ffff:10.0.0.1\"", "\"[::1]\"", "\"fe80::1%1\"",
        "{\"amount\": 5}", "{\"amount\": 5, \"currency\": \"EUR\"}", "{\"amount\": 0, \"currency\": \"EUR\"}", "{\"amount\": 5, \"currency\": \"EUR\", \"scale\": 2}", "{\"currency\": \"EUR\"}",
        $"\"{new string('x', 64)}\"", $"\"{new string('x', 65)}\"", $"\"{new string('x', 128)}\"", $"\"{new string('x', 129)}\"", $"\"{new string('x', 500)}\"", $"\"{new string('x', 501)}\"",
        $"\"{new string('x', 1024)}\"", $"\"{new string('x', 1025)}\"",
    ];

    public static TheoryData<string> Inputs => [.. Valid.Keys];

    [Fact]
    public void Every_topic_that_is_read_has_bodies_here()
    {
        Assert.Equal(EventSchemas.All.Where(s => (string?)SchemaEvolutionTests.Present(s.Name)["x-direction"] == "in").Select(s => s.Name), Valid.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["balance-changes", "captures", "dead-letters", "engagements", "labels", "orders", "redemption-decisions", "redemption-requests", "returns", "voids"], EventSchemas.All.Select(s => s.Name));
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public void What_intake_accepts_is_valid_and_what_is_valid_is_accepted(string topic)
    {
        var schema = SchemaEvolutionTests.Present(topic);
        var (accepted, refused, beyond) = (0, 0, 0);
        foreach (var body in Valid[topic].SelectMany(Variants))
        {
            var invalid = SchemaCheck.FirstError(schema, JsonNode.Parse(body));
            var errors = Refusals(topic, body);
            if (errors.Count == 0)
            {
                accepted++;
                Assert.True(invalid is null, $"intake takes what the schema refuses ({invalid}): {body}");
            }
            else if (errors.All(code => Beyond.Contains(code)))
            {
                beyond++;
            }
            else
            {
                refused++;
                Assert.True(invalid is not null, $"the schema allows what intake refuses ({string.Join(", ", errors)}): {body}");
            }
        }
        Assert.True(accepted >= 3 && refused > 30, $"{accepted} accepted, {refused} refused, {beyond} beyond the schema: the corpus is too small");
    }

    [Fact]
    public void A_code_is_as_long_as_intake_allows()
    {
        var schema = SchemaEvolutionTests.Present("redemption-requests");
        foreach (var code in (string[])["x", " x ", "\tx y\n", new('x', 64), " " + new string('x', 64) + " ", new('x', 65), "", "  ", "a\u0001b", "\u00e9"])
        {
            var body = JsonNode.Parse(Valid["redemption-requests"][1])!;
            body["redeemables"]![0]!["code"] = code;
            Assert.Equal(Refusals("redemption-requests", body.ToJsonString()).Count == 0, SchemaCheck.FirstError(schema, body) is null);
        }
    }

    [Fact]
    public void A_balance_change_as_it_is_written_is_valid()
    {
        var schema = SchemaEvolutionTests.Present("balance-changes");
        foreach (var (change, held) in (ReadOnlySpan<(QuantityBody, QuantityBody)>)[(new(-5, null), new(95, null)), (new(1250, "EUR"), new(1250, "EUR"))])
        {
            var written = JsonSerializer.SerializeToNode(
                new BalanceChange("o-1:points", "c-1", "points", change, held, new("order", "o-1"), new EventTime(1_772_366_400_123).ToString(), 7), ContractsJson.Default.BalanceChange);
            Assert.Null(SchemaCheck.FirstError(schema, written));
        }
    }

    /// <summary>The body itself; then each place left out and set to each value; then a member too much in each object.</summary>
    private static IEnumerable<string> Variants(string body)
    {
        yield return body;
        foreach (var place in Places(JsonNode.Parse(body)!, []))
        {
            foreach (var value in Values)
            {
                var changed = JsonNode.Parse(body)!;
                var parent = At(changed, place[..^1]);
                switch (parent)
                {
                    case JsonObject members when value is null: members.Remove((string)place[^1]); break;
                    case JsonObject members: members[(string)place[^1]] = JsonNode.Parse(value); break;
                    case JsonArray items when value is null: items.RemoveAt((int)place[^1]); break;
                    case JsonArray items: items[(int)place[^1]] = JsonNode.Parse(value); break;
                }
                yield return changed.ToJsonString();
            }
            var extended = JsonNode.Parse(body)!;
            if (At(extended, place) is not JsonObject inner) continue;
            inner["surplus"] = 1;
            yield return extended.ToJsonString();
        }
    }

    private static IEnumerable<object[]> Places(JsonNode node, object[] at) => node switch
    {
        JsonObject members => members.SelectMany(one => (IEnumerable<object[]>)[[.. at, one.Key], .. one.Value is null ? [] : Places(one.Value, [.. at, one.Key])]),
        JsonArray items => items.SelectMany((one, index) => (IEnumerable<object[]>)[[.. at, index], .. one is null ? [] : Places(one, [.. at, index])]),
        _ => [],
    };

    private static JsonNode? At(JsonNode root, object[] place) => place.Aggregate((JsonNode?)root, (node, step) => step is int index ? node![index] : node![(string)step]);

    /// <summary>Codes of everything that intake refuses in a topic's value.</summary>
    private static List<string> Refusals(string topic, string json)
    {
        var errors = new FieldErrors();
        var read = topic switch
        {
            "redemption-requests" => Parse(json, ContractsJson.Default.RedemptionBody, errors, body =>
                RedemptionIntake.Read(body, Domain.Events.AttemptKind.Redemption, Caller(body.Id, errors), errors)),
            "orders" => Parse(json, ContractsJson.Default.OrderPlacedBody, errors, body => OrderIntake.Read(body, Caller(body.Order?.Id, null), errors)),
            "returns" => Parse(json, ContractsJson.Default.ReturnEventBody, errors, body => OrderIntake.Read(
                new OrderReturnedBody { Id = body.Id, CustomerId = body.CustomerId, Amount = body.Amount }, Check.Id(errors, body.OrderId, "/order_id"), Caller(body.Id, errors), errors)),
            "engagements" => Parse(json, ContractsJson.Default.EngagementBody, errors, body => EventIntake.Engagement(body, Caller(body.Id, errors), errors)),
            "labels" => Parse(json, ContractsJson.Default.LabelBody, errors, body => Check.Id(errors, body.Id, "/id") is { } && EventIntake.Label(body, errors) is { } label ? label : null),
            "captures" => Parse(json, ContractsJson.Default.CaptureEventBody, errors, body => Check.Id(errors, body.RedemptionId, "/redemption_id")),
            "voids" => Parse(json, ContractsJson.Default.VoidEventBody, errors, body => Check.Id(errors, body.RedemptionId, "/redemption_id") + Check.OptionalText(errors, body.Reason, "/reason", Bounds.NoteMax)),
            _ => throw new NotSupportedException(topic),
        };
        Assert.True(read || errors.Any);
        return [.. errors.List.Select(error => error.Code)];
    }

    private static Caller Caller(string? id, FieldErrors? errors) =>
        new(errors is null ? id ?? "" : Check.Id(errors, id, "/id"), "test", new EventTime(DateTimeOffset.Parse("2026-04-01T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeMilliseconds()), null);

    private static bool Parse<T>(string json, JsonTypeInfo<T> type, FieldErrors errors, Func<T, object?> read) where T : class
    {
        var body = StrictJson.Read(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(json)), type, out var error);
        if (error is { } refused) errors.Add(refused.Pointer, refused.Code, refused.Detail);
        return body is not null && read(body) is not null;
    }
}
