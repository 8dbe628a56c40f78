using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger.Contract;
using Promotions.Ledger.Outbox;
using Promotions.Ledger.Sqlite;

namespace Promotions.Ledger.Postgres.Tests;

/// <summary>The same commands in the same batches over both databases: the same answers, byte by byte, and the same things told to followers; but for positions.</summary>
public sealed partial class EqualityTests
{
    [GeneratedRegex("\"position\":[0-9]+")]
    private static partial Regex Position();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Both_ledgers_answer_and_tell_the_same(int seed)
    {
        var folder = Directory.CreateTempSubdirectory("equal-").FullName;
        try
        {
            await using var backend = new PostgresBackend();
            var (ours, theirs) = (new FakeTimeProvider(Make.Start.ToDateTimeOffset()), new FakeTimeProvider(Make.Start.ToDateTimeOffset()));
            await using (var postgres = await backend.LedgerAsync(ours))
            await using (var sqlite = SqliteLedger.Open(new() { Path = Path.Combine(folder, "ledger.db") }, theirs))
            {
                var random = new Random(seed);
                var refusals = new HashSet<(LedgerRefusal, RefusalCode?)>();
                for (var batch = 0; batch < 60; batch++)
                {
                    var commands = batch == 0 ? First() : [.. Enumerable.Range(0, random.Next(1, 9)).Select(i => Any(random, $"{batch}-{i}", postgres.Campaigns))];
                    var left = await AnswersAsync(postgres, commands);
                    var right = await AnswersAsync(sqlite, commands);
                    Assert.Equal(right.Select(Text), left.Select(Text));
                    foreach (var outcome in left) refusals.Add((outcome.Refusal, outcome.Decision?.Refusal));
                    var step = TimeSpan.FromMinutes(random.Next(0, 12));
                    ours.Advance(step);
                    theirs.Advance(step);
                }

                Assert.True(refusals.Count >= 8, $"The commands met {refusals.Count} kinds of answers only.");
                Assert.Equal(sqlite.Reader.ReadOutbox(0, 10_000).Select(Text), postgres.Reader.ReadOutbox(0, 10_000).Select(Text));
                Assert.Equal(sqlite.Reader.ReadLog(0, 10_000).Select(r => (r.Topic, r.Key, r.At)), postgres.Reader.ReadLog(0, 10_000).Select(r => (r.Topic, r.Key, r.At)));
            }

            Assert.Empty(await backend.VerifyAsync());
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static async Task<IReadOnlyList<LedgerOutcome>> AnswersAsync(ILedger ledger, IReadOnlyList<LedgerCommand> commands) =>
        [.. (await ledger.CommitAsync([.. commands.Select(c => new LogAppend("t", c.Id, new byte[] { 1 }, c.At, 0, c))], _ => [], TestContext.Current.CancellationToken)).Outcomes.Select(o => o!)];

    private static string Text(LedgerOutcome outcome) => string.Create(CultureInfo.InvariantCulture,
        $"{outcome.Refusal} {outcome.Repeated} {outcome.Detail} {(outcome.Decision is { } d ? d.Hold + Encoding.UTF8.GetString(OutboxWriter.Decision(d with { Position = 0 })) : "")}");

    private static string Text(OutboxEvent row) => $"{row.Position} {row.At} {row.Type} {row.Key} {Position().Replace(Encoding.UTF8.GetString(row.Payload.Span), "")}";

    private static LedgerCommand[] First() =>
    [
        new PutCampaign("put", Make.Admin, Make.Start, Make.Campaign(limits: new(25, 6, 9_000))),
        new AddCoupons("add", Make.Admin, Make.Start, "spring", [new("A", null, 4), new("B", null, null), new("C", "ann", 1)]),
        new DepositCash("d-ann", Make.Admin, Make.Start, "ann", "EUR", 60, null),
        new GrantPoints("g-ann", Make.Admin, Make.Start, "ann", 100, Make.Start.Plus(TimeSpan.FromHours(2)), null),
        new GrantPoints("g-bob", Make.Admin, Make.Start, "bob", 100, null, null),
        new RecordOrder(Make.Shop, new("o-ann", "web-de", "key-1", new("ann", null), Make.Request("x", "ann", []).Cart, 1_000, null, Make.Start, null, new byte[32]), 10, null),
    ];

    private static LedgerCommand Any(Random random, string id, ICampaignSnapshot campaigns)
    {
        var customer = random.Next(2) == 0 ? "ann" : "bob";
        var redemption = "r-" + random.Next(40);
        switch (random.Next(16))
        {
            case < 7:
                var redeemables = new List<PricedRedeemable>();
                if (random.Next(3) > 0) redeemables.Add(Make.Use(campaigns.FindCoupon("ABC"[random.Next(3)].ToString())!, version: campaigns.FindCampaign("spring")!.Version - (random.Next(12) == 0 ? 1 : 0)));
                if (random.Next(2) == 0) redeemables.Add(Make.Pay(RedeemableType.Points, random.Next(1, 40)));
                if (random.Next(3) == 0) redeemables.Add(Make.Pay(RedeemableType.Cash, random.Next(1, 30)));
                return Make.Decide(Make.Proposal(redemption, customer, redeemables, (RedemptionStatus)random.Next(1, 3),
                    arms: [new("spring", 1, customer, Arm.Treated, false, Make.Start)], holdFor: TimeSpan.FromMinutes(random.Next(5, 60))));
            case 7 or 8: return new CaptureHold("c-" + id, Make.Shop, Make.Start, redemption);
            case 9: return new VoidHold("v-" + id, Make.Shop, Make.Start, redemption, "changed");
            case 10: return new GrantPoints("g-" + id, Make.Admin, Make.Start, customer, random.Next(1, 50), random.Next(2) == 0 ? null : Make.Start.Plus(TimeSpan.FromHours(random.Next(1, 12))), null);
            case 11: return new RecordLabel(Make.Admin, new("l-" + id, redemption, random.Next(2) == 0, "review", null, "ada", Make.Start, Make.Proposal(redemption, customer, []).Entities));
            case 12: return new ExpireDue("e-" + id, Actor.System, Make.Start, random.Next(1, 20));
            case 13: return new RecordReturn(Make.Shop, new("ret-" + id, "o-ann", "ann", random.Next(1, 300), Make.Start, new byte[32]));
            case 14: return new PutCampaign("put-" + id, Make.Admin, Make.Start, Make.Campaign(version: campaigns.FindCampaign("spring")!.Version + 1, limits: new(random.Next(10, 30), 6, 9_000)));
            default: return new LogTrigger("t-" + id, Make.Shop, Make.Start, [new("spring", 1, customer, Arm.Control, true, Make.Start)]);
        }
    }
}
