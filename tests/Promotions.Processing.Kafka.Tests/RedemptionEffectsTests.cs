using System.Text.Json.Nodes;
using Promotions.Contracts.Schemas;
using Promotions.Contracts.Tests.Schemas;
using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Processing.Kafka.Effects;
using Promotions.Processing.Records;
using Promotions.Processing.Tests;
using Promotions.Streams.Kafka;

namespace Promotions.Processing.Kafka.Tests;

public class RedemptionEffectsTests
{
    private static readonly ReplyAddress Address = new(3, "api-1", 42);

    [Fact]
    public async Task A_decision_is_booked_then_answered_and_told()
    {
        await using var rig = await new EffectsRig().OwnAsync();
        await rig.PutAsync(PipelineRig.Public("TEN"));

        var published = await rig.ApplyAsync(rig.Process(PipelineRig.Request("r-1"), Address));

        Assert.Equal(["promotions-replies", "redemption-decisions"], published.Select(record => record.Topic));      // no feature counts an approval: nothing is fed back
        Assert.Equal(3, published[0].Partition);
        var recorded = rig.Ledger.Reader.FindDecision("r-1")!;
        var reply = EffectsRig.ReplyIn(published)!;
        Assert.Equal((42L, recorded.Position, RedemptionStatus.Approved), (reply.Correlation, reply.Outcome!.Position, reply.Outcome.Decision!.Status));
        Assert.True(recorded.Proposal.Risk.Vector.Span.SequenceEqual(reply.Outcome.Decision.Proposal.Risk.Vector.Span));
        Assert.Equal((recorded.HoldExpiresAt, recorded.DecidedAt, recorded.Hold), (reply.Outcome.Decision.HoldExpiresAt, reply.Outcome.Decision.DecidedAt, reply.Outcome.Decision.Hold));
        Assert.Null(EffectsRig.ReplyIn(published, "api-2"));

        var told = Valid("redemption-decisions", EffectsRig.JsonIn(published, "redemption-decisions"));
        Assert.Equal(("r-1", "approved"), ((string?)told["id"], (string?)told["status"]));
        Assert.Equal(["verdict", "score", "hard_rule", "scorer_fault", "reasons", "reasons_missing_because"], told["risk"]!.AsObject().Select(member => member.Key));
        Assert.All(told["risk"]!.AsObject().Where(member => member.Key != "verdict"), member => Assert.Null(member.Value));     // checkout never learns the score
        Assert.Null(told["decision"]);
    }

    [Fact]
    public async Task After_a_crash_between_commit_and_publishing_the_same_comes_again_and_counts_once()
    {
        await using var rig = await new EffectsRig().OwnAsync();
        await rig.PutAsync(PipelineRig.Public("TEN"));
        var outputs = rig.Process(PipelineRig.Request("r-1", code: "nope"), Address);

        var lost = await rig.ApplyAsync(outputs);                    // committed, and then the process died
        var again = await rig.ApplyAsync(outputs);                   // the record comes again
        Assert.Equal(lost.Select(Text).Where(text => !text.StartsWith("promotions-replies", StringComparison.Ordinal)), again.Select(Text).Where(text => !text.StartsWith("promotions-replies", StringComparison.Ordinal)));
        Assert.True(EffectsRig.ReplyIn(again)!.Outcome!.Repeated);

        rig.Fold(again);
        rig.Fold(again);                                             // and it died once more before it had said so
        var next = await rig.ApplyAsync(rig.Process(PipelineRig.Request("r-2", atSeconds: 5), Address));
        Assert.Equal(1, Value(EffectsRig.ReplyIn(next)!.Outcome!.Decision!, "customer_refusals_24h"));
        Assert.Equal(1, Value(EffectsRig.ReplyIn(next)!.Outcome!.Decision!, "device_invalid_codes_1h"));
    }

    [Fact]
    public async Task A_retry_by_another_record_is_told_the_recorded_answer_and_feeds_nothing_new()
    {
        await using var rig = await new EffectsRig().OwnAsync();
        await rig.PutAsync(PipelineRig.Public("TEN", limits: new(UsesMax: 1, null, null)));
        await rig.ApplyAsync(rig.Process(PipelineRig.Request("r-0")));
        var first = await rig.ApplyAsync(rig.Process(PipelineRig.Request("r-1", atSeconds: 1)));            // its only use is gone
        var retry = await rig.ApplyAsync(rig.Process(PipelineRig.Request("r-1", atSeconds: 100), Address));

        Assert.Equal(EffectsRig.JsonIn(first, "redemption-decisions"), EffectsRig.JsonIn(retry, "redemption-decisions"));
        Assert.Equal(first.Single(record => record.Topic == Topics.Outcomes).Value, retry.Single(record => record.Topic == Topics.Outcomes).Value);
        Assert.Equal(1, rig.Ledger.Reader.UsageOf("TEN").UsesHeld);

        var other = await rig.ApplyAsync(rig.Process(PipelineRig.Request("r-1", price: 9)));
        Assert.Equal("same_id_different_content", (string?)Valid("redemption-decisions", EffectsRig.JsonIn(other, "redemption-decisions"))["code"]);
        Assert.DoesNotContain(other, record => record.Topic == Topics.Outcomes);
        Assert.Equal([(Topics.Requests, LedgerRefusal.SameIdDifferentContent)], rig.Refusals);
    }

    [Fact]
    public async Task Past_its_deadline_nothing_is_booked_and_a_retry_is_decided_anew()
    {
        await using var rig = await new EffectsRig().OwnAsync();
        await rig.PutAsync(PipelineRig.Public("TEN"));
        var request = PipelineRig.Request("r-1") with { Deadline = PipelineRig.Start.Plus(TimeSpan.FromSeconds(2)) };
        var outputs = rig.Process(request, Address);
        rig.Time.Advance(TimeSpan.FromSeconds(3));

        var late = await rig.ApplyAsync(outputs);
        Assert.Equal(("deadline_passed", 504), Problem(late));
        Assert.Equal(LedgerRefusal.DeadlinePassed, EffectsRig.ReplyIn(late)!.Outcome!.Refusal);
        Assert.DoesNotContain(late, record => record.Topic == Topics.Outcomes);
        Assert.Null(rig.Ledger.Reader.FindDecision("r-1"));

        var retry = await rig.ApplyAsync(rig.Process(request with { At = request.At.Plus(TimeSpan.FromSeconds(4)), Deadline = request.Deadline!.Value.Plus(TimeSpan.FromSeconds(9)) }));
        Assert.Equal("approved", (string?)Valid("redemption-decisions", EffectsRig.JsonIn(retry, "redemption-decisions"))["status"]);
    }

    [Fact]
    public async Task A_void_that_comes_first_is_remembered()
    {
        await using var rig = await new EffectsRig().OwnAsync();
        await rig.PutAsync(PipelineRig.Public("TEN"));
        var voided = await rig.ApplyAsync(rig.Process(Topics.Voids, "r-1", RecordCodec.Encode(new VoidRequested("r-1", "key-1", null, PipelineRig.Start)), PipelineRig.Start, Address));
        Assert.True(EffectsRig.ReplyIn(voided)!.Outcome!.Accepted);

        foreach (var retry in (int[])[1, 2])
            Assert.Equal(("voided_before", 409), Problem(await rig.ApplyAsync(rig.Process(PipelineRig.Request("r-1", atSeconds: retry)))));
        Assert.Equal(0, rig.Ledger.Reader.UsageOf("TEN").UsesHeld);
    }

    [Fact]
    public async Task A_campaign_that_changed_under_a_decision_is_priced_again()
    {
        await using var rig = await new EffectsRig().OwnAsync();
        await rig.PutAsync(PipelineRig.Public("TEN"));
        var outputs = rig.Process(PipelineRig.Request("r-1"), Address).Concat(rig.Process(PipelineRig.Request("r-2", code: "nope", atSeconds: 1), Address with { Correlation = 43 })).ToList();
        await rig.PutAsync(PipelineRig.Public("TEN", version: 2, basisPoints: 2_000));
        // And once more before it is committed again.
        rig.Fence.BeforeCommit = commit => commit == 2 ? rig.PutAsync(PipelineRig.Public("TEN", version: 3, basisPoints: 3_000)) : Task.CompletedTask;

        var applying = rig.ApplyAsync(outputs);
        while (!applying.IsCompleted)
        {
            rig.Time.Advance(TimeSpan.FromMilliseconds(20));
            await Task.Yield();
        }

        var told = (await applying).Where(record => record.Topic == "redemption-decisions").Select(record => Valid("redemption-decisions", System.Text.Encoding.UTF8.GetString(record.Value))).ToArray();
        Assert.Equal(["r-1", "r-2"], told.Select(answer => (string?)answer["id"]));
        Assert.Equal(900, (long)told[0]["order"]!["discount"]!["amount"]!);
        Assert.Equal("rejected", (string?)told[1]["status"]);
    }

    [Fact]
    public async Task A_campaign_made_a_moment_before_is_found_also_where_pricing_did_not_know_it_yet()
    {
        await using var rig = await new EffectsRig().OwnAsync();
        var outputs = rig.Process(PipelineRig.Request("r-1"), Address);
        await rig.PutAsync(PipelineRig.Public("TEN"));

        var answer = Valid("redemption-decisions", EffectsRig.JsonIn(await rig.ApplyAsync(outputs), "redemption-decisions"));

        Assert.Equal("approved", (string?)answer["status"]);
    }

    [Fact]
    public async Task An_owner_whose_task_was_taken_books_nothing_more()
    {
        await using var rig = await new EffectsRig().OwnAsync();
        await rig.PutAsync(PipelineRig.Public("TEN"));
        var outputs = rig.Process(PipelineRig.Request("r-1"));
        var earlier = rig.Epoch;
        await rig.OwnAsync();

        await Assert.ThrowsAsync<EpochPassedException>(() => rig.Effects.ApplyAsync(EffectsRig.Task, earlier, outputs, CancellationToken.None));
        Assert.Null(rig.Ledger.Reader.FindDecision("r-1"));
        await rig.ApplyAsync(outputs);
        Assert.NotNull(rig.Ledger.Reader.FindDecision("r-1"));
    }

    [Fact]
    public async Task Balances_that_orders_and_redemptions_change_are_told_with_one_id_each()
    {
        await using var rig = await new EffectsRig().OwnAsync();
        var order = await rig.ApplyAsync(Order(rig, "o-1", 10_000));
        Assert.Equal("order:o-1:points|anna|100|0", Change(order));
        Assert.Equal(Change(order), Change(await rig.ApplyAsync(Order(rig, "o-1", 10_000))));       // sent again: the same id

        var redeemed = await rig.ApplyAsync(rig.Process(WithPoints("r-1", 30)));
        Assert.Equal("redemption:r-1:points|anna|-30|30", Change(redeemed));
        var captured = await rig.ApplyAsync(rig.Process(Topics.Captures, "r-1", RecordCodec.Encode(new CaptureRequested("r-1", "key-1", PipelineRig.Start)), PipelineRig.Start));
        Assert.Equal("capture:r-1:points|anna|0|-30", Change(captured));

        await rig.ApplyAsync(rig.Process(WithPoints("r-2", 20)));
        var voided = await rig.ApplyAsync(rig.Process(Topics.Voids, "r-2", RecordCodec.Encode(new VoidRequested("r-2", "key-1", null, PipelineRig.Start)), PipelineRig.Start));
        Assert.Equal("void:r-2:points|anna|20|-20", Change(voided));
        Assert.Equal((70, 0), (rig.Ledger.Reader.BalancesOf("anna").Single().Available, rig.Ledger.Reader.BalancesOf("anna").Single().Held));

        await rig.ApplyAsync(rig.Process(WithPoints("r-3", 20)));
        var abuse = Label("l-1", "r-3", true);
        var labelled = await rig.ApplyAsync(rig.Process(Topics.Labels, "r-3", abuse, PipelineRig.Start));
        Assert.Equal("void:r-3:points|anna|20|-20", Change(labelled));
        Assert.Equal("void:r-3:points|anna|20|-20", Change(await rig.ApplyAsync(rig.Process(Topics.Labels, "r-3", abuse, PipelineRig.Start))));
        var refused = await rig.ApplyAsync(rig.Process(WithPoints("r-4", 10_000)));
        Assert.DoesNotContain(refused, record => record.Topic == "balance-changes");
    }

    [Fact]
    public async Task A_label_counts_for_the_entities_of_the_redemption_that_it_judges()
    {
        await using var rig = await new EffectsRig().OwnAsync();
        await rig.PutAsync(PipelineRig.Public("TEN"));
        rig.Fold(await rig.ApplyAsync(rig.Process(PipelineRig.Request("r-1"))));
        rig.Fold(await rig.ApplyAsync(rig.Process(Topics.Labels, "r-1", Label("l-1", "r-1", true), PipelineRig.Start)));
        var next = await rig.ApplyAsync(rig.Process(PipelineRig.Request("r-2", customer: "bert", atSeconds: 9), Address));
        Assert.True(Value(EffectsRig.ReplyIn(next)!.Outcome!.Decision!, "device_abuse_rate_30d") > FeatureRegistry.AbusePriorShare);
    }

    [Fact]
    public async Task A_report_that_the_ledger_refuses_counts_nothing_and_is_found_among_the_dead_letters()
    {
        await using var rig = await new EffectsRig().OwnAsync();
        await rig.ApplyAsync(Order(rig, "o-1", 10_000));
        var returned = new OrderReturned("x-1", "o-1", "anna", 500, PipelineRig.Start, new byte[32]);
        var dollars = await rig.ApplyAsync(rig.Process(Topics.Returns, "anna", RecordCodec.Encode(returned), PipelineRig.Start, currency: "USD"));
        var letter = Assert.Single(dollars);
        Assert.Equal("dead-letters", letter.Topic);
        var headers = letter.Headers!.ToDictionary(header => header.Key, header => System.Text.Encoding.UTF8.GetString(header.Value));
        Assert.Equal(("invalid_command", "returns", "2", "17"), (headers["dead-letter-reason"], headers["dead-letter-topic"], headers["dead-letter-partition"], headers["dead-letter-offset"]));
        Assert.Contains("EUR", headers["dead-letter-detail"], StringComparison.Ordinal);
        Valid("dead-letters", new JsonObject(headers.Select(header => new KeyValuePair<string, JsonNode?>(header.Key, header.Value))).ToJsonString());
        Valid("returns", System.Text.Encoding.UTF8.GetString(letter.Value));

        var tooMuch = await rig.ApplyAsync(rig.Process(Topics.Returns, "anna", RecordCodec.Encode(returned with { Amount = 10_001 }), PipelineRig.Start, Address, currency: "EUR"));
        Assert.Equal(LedgerRefusal.InvalidCommand, EffectsRig.ReplyIn(tooMuch)!.Outcome!.Refusal);
        Assert.Single(tooMuch);                          // who waits is told; nobody else needs to be
        var right = await rig.ApplyAsync(rig.Process(Topics.Returns, "anna", RecordCodec.Encode(returned with { Id = "x-2" }), PipelineRig.Start, currency: "EUR"));
        Assert.Equal(Topics.Outcomes, Assert.Single(right).Topic);

        var unknown = Assert.Single(await rig.ApplyAsync(rig.Process(Topics.Captures, "r-none", RecordCodec.Encode(new CaptureRequested("r-none", "key-1", PipelineRig.Start)), PipelineRig.Start)));
        Assert.Equal("key-1"u8.ToArray(), unknown.Headers!.Single(header => header.Key == RecordHeaders.ApiKey).Value);      // sent again, it speaks for the same key
    }

    [Fact]
    public async Task A_validation_is_answered_and_told_to_nobody_else()
    {
        await using var rig = await new EffectsRig().OwnAsync();
        await rig.PutAsync(PipelineRig.Public("TEN"));
        var published = await rig.ApplyAsync(rig.Process(PipelineRig.Request("v-1", kind: AttemptKind.Validation), Address));
        Assert.Equal(["promotions-replies"], published.Select(record => record.Topic));
        Assert.Equal(RedemptionStatus.Approved, EffectsRig.ReplyIn(published)!.Proposal!.Proposed);
        Assert.Null(rig.Ledger.Reader.FindDecision("v-1"));
    }

    private static RedemptionRequest WithPoints(string id, long points) => PipelineRig.Request(id) with { Redeemables = [new(RedeemableType.Points, null, points)] };

    private static IReadOnlyList<Streams.SinkOutput> Order(EffectsRig rig, string id, long total)
    {
        var order = RecordedShop.OrderOf(id, 0) with { Total = total };
        return rig.Process(Topics.Orders, "anna", RecordCodec.Encode(order), order.At);
    }

    private static byte[] Label(string id, string redemption, bool abuse) =>
        RecordCodec.Encode(new LabelRecorded(id, redemption, abuse, "review", null, "rita", PipelineRig.Start, new("", null, null, null, [], null, null)));

    private static (string?, int) Problem(IEnumerable<OutgoingRecord> published)
    {
        var problem = Valid("redemption-decisions", EffectsRig.JsonIn(published, "redemption-decisions"));
        Assert.Equal("r-1", (string?)problem["id"]);
        return ((string?)problem["code"], (int)problem["status"]!);
    }

    private static string Change(IEnumerable<OutgoingRecord> published)
    {
        var change = Valid("balance-changes", EffectsRig.JsonIn(published, "balance-changes"));
        return $"{change["id"]}|{change["customer_id"]}|{change["change"]}|{change["held_change"]}";
    }

    private static JsonObject Valid(string topic, string json)
    {
        var value = JsonNode.Parse(json)!.AsObject();
        Assert.Null(SchemaCheck.FirstError(JsonNode.Parse(EventSchemas.Find(topic)!.Bytes.Span)!.AsObject(), value));
        return value;
    }

    private static string Text(OutgoingRecord record) => $"{record.Topic} {record.At} {Convert.ToHexString(record.Value)}";
    private static float Value(Decision decision, string feature) => decision.Proposal.Risk.Vector.Span[FeatureRegistry.IndexOf(feature)];
}
