using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger.Contract;
using Promotions.Ledger.Outbox;

namespace Promotions.Ledger.Tests;

/// <summary>The outbox's README is what followers are built from: it names each type and each field that the ledger writes, and no other.</summary>
public sealed partial class OutboxPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Outbox.md"));

    public static TheoryData<string> Types => [.. typeof(OutboxTypes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetValue(null)!)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Each_type_is_written_as_the_page_says(string type)
    {
        using var json = JsonDocument.Parse(Example(type));
        Assert.Equal(FieldsOnPage()[type], FieldsOf(json.RootElement, ""));
    }

    [Fact]
    public void The_page_names_no_type_that_is_not_written() => Assert.Equal(Types.Select(t => t.Data).Order(), FieldsOnPage().Keys.Order());

    [Fact]
    public void The_pages_example_is_what_the_writer_writes()
    {
        var arm = new ArmAssignment("spring", 1, "c-1", Arm.Control, true, Domain.EventTime.From(new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero)));
        Assert.Contains("\n" + Encoding.UTF8.GetString(OutboxWriter.Arm(arm, first: true, 17)) + "\n", Page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_decision_finished_twice_leaves_the_first_bytes_as_they_were()
    {
        var payload = DecisionPayload.Of(Make.Proposal("r-1", "ann", []));
        var first = payload.Finish(7, RedemptionStatus.Approved, RefusalCode.None, Make.Start, Make.Start);
        var before = first.ToArray();
        var second = payload.Finish(long.MaxValue, RedemptionStatus.Rejected, RefusalCode.CustomerUsesExhausted, Make.Start, null);

        Assert.Equal(before, first.ToArray());
        using var json = JsonDocument.Parse(second);
        Assert.Equal((long.MaxValue, "rejected", "customer_uses_exhausted", "2026-02-25T06:13:20.000Z", JsonValueKind.Null), (json.RootElement.GetProperty("position").GetInt64(),
            json.RootElement.GetProperty("status").GetString(), json.RootElement.GetProperty("refusal").GetString(), json.RootElement.GetProperty("decided_at").GetString(),
            json.RootElement.GetProperty("hold_expires_at").ValueKind));
    }

    private static byte[] Example(string type)
    {
        var coupon = new Coupon("A", "spring", "ann", 1, false, Make.Start);
        var proposal = Make.Proposal("r-1", "ann", [Make.Use(coupon)]);
        var decision = new Decision(3, proposal, RedemptionStatus.Approved, RefusalCode.None, HoldState.Held, Make.Start, Make.Start);
        return type switch
        {
            OutboxTypes.Decision => OutboxWriter.Decision(decision),
            OutboxTypes.HoldCaptured or OutboxTypes.HoldVoided or OutboxTypes.HoldExpired => OutboxWriter.Hold(decision, 4, Make.Start, "why"),
            OutboxTypes.Order => OutboxWriter.Order(new("o-1", "web-de", "key-1", new("ann", null), proposal.Request.Cart, 10_000, "r-1", Make.Start, null, new byte[32]), 5, 4),
            OutboxTypes.Return => OutboxWriter.Return(new("ret-1", "o-1", "ann", 5, Make.Start, new byte[32]), "EUR", 4),
            OutboxTypes.Label => OutboxWriter.Label(new("l-1", "r-1", true, "review", null, "ada", Make.Start, proposal.Entities), 4),
            OutboxTypes.Engagement => OutboxWriter.Engagement(new("e-1", "web-de", "key-1", "ann", "open", Make.Start, new byte[32]), 4),
            OutboxTypes.Arm => OutboxWriter.Arm(new("spring", 1, "ann", Arm.Treated, false, Make.Start), true, 4),
            OutboxTypes.CouponIssued => OutboxWriter.CouponIssued(coupon, true, 4, Make.Start),
            OutboxTypes.CouponRevoked => OutboxWriter.CouponRevoked(coupon, 4, Make.Start),
            OutboxTypes.Campaign => OutboxWriter.Campaign(Make.Campaign(), 4, Make.Start),
            OutboxTypes.BalanceChanged => OutboxWriter.BalanceChanged("ann", "cash", "EUR", 5, 0, "deposit", "d-1", 4, Make.Start),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "A new type needs an example here and a row on the page."),
        };
    }

    /// <summary>Names in their order: <c>risk</c>, <c>risk.verdict</c>, <c>redeemables[].code</c>.</summary>
    private static List<string> FieldsOf(JsonElement value, string path)
    {
        var found = new List<string>();
        if (value.ValueKind is JsonValueKind.Array)
        {
            Assert.True(value.GetArrayLength() > 0, path + " is empty in the example.");
            found.AddRange(FieldsOf(value[0], path + "[]"));
        }
        else if (value.ValueKind is JsonValueKind.Object)
        {
            foreach (var field in value.EnumerateObject())
            {
                found.Add((path.Length == 0 ? "" : path + ".") + field.Name);
                found.AddRange(FieldsOf(field.Value, found[^1]));
            }
        }

        return found;
    }

    /// <summary>The table: a field stands in back ticks, what is in round brackets explains it, square and curly ones hold the fields of a list's objects or of an object.</summary>
    private static Dictionary<string, List<string>> FieldsOnPage()
    {
        var fields = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var line in Page.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)))
        {
            var cells = line.Split('|');
            var paths = new List<string>();
            var open = new Stack<string>();
            foreach (Match token in Token().Matches(Explanation().Replace(cells[3], "")))
            {
                var path = open.TryPeek(out var prefix) ? prefix : "";
                switch (token.Value)
                {
                    case "[": open.Push(paths[^1] + "[]."); break;
                    case "{": open.Push(paths[^1] + "."); break;
                    case "]" or "}": open.Pop(); break;
                    default: paths.Add(path + token.Value.Trim('`')); break;
                }
            }

            foreach (Match type in Token().Matches(cells[1])) fields.Add(type.Value.Trim('`'), paths);
        }

        return fields;
    }

    [GeneratedRegex(@"\([^()]*\)")]
    private static partial Regex Explanation();

    [GeneratedRegex(@"`[a-z_]+`|[\[\]{}]")]
    private static partial Regex Token();
}
