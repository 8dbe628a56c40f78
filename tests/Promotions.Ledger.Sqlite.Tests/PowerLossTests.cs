using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Ledger.Contract;
using Promotions.Ledger.Sqlite.Tests.Disk;
using Promotions.Ledger.Sqlite.Verification;

namespace Promotions.Ledger.Sqlite.Tests;

/// <summary>No answer precedes its fsync: power is lost at seeded moments, what was not synced is gone or torn, and each answer given until then is there.</summary>
[Trait("kind", "faults")]
public sealed class PowerLossTests : IDisposable
{
    private const int Redemptions = 160;
    private const int InFlight = 8;

    private readonly string _folder = Directory.CreateTempSubdirectory("power-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    /// <param name="Answers">Given before the loss, in the order in which they came.</param>
    private sealed record Loss(IReadOnlyDictionary<string, byte[]> Files, LedgerOutcome[] Answers);

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public async Task Each_answer_outlives_a_power_loss_at_any_moment(int seed, bool torn)
    {
        var losses = await Run(seed, torn, synchronous: null);
        Assert.True(losses.Count(l => l.Answers.Length is > 0 and < Redemptions) >= 3, $"Power was lost {losses.Count} times, too seldom while answers were given.");
        for (var i = 0; i < losses.Count; i++) Assert.Empty(await Missing(losses[i], i));
    }

    [Theory]
    [InlineData("OFF")]
    [InlineData("NORMAL")]
    public async Task The_same_run_loses_answers_where_commits_are_not_synced(string synchronous)
    {
        var losses = await Run(5, torn: false, synchronous);
        var missing = 0;
        for (var i = 0; i < losses.Count; i++) missing += (await Missing(losses[i], i)).Count;
        Assert.True(missing > 0, "The simulated disk does not see what synchronous=FULL is for.");
    }

    /// <summary>Redemptions of single-use coupons, with captures, over a log so short that it is moved and started again on the way.</summary>
    private async Task<IReadOnlyList<Loss>> Run(int seed, bool torn, string? synchronous)
    {
        var dice = new Random(seed);
        var disk = new SimulatedDisk();
        using var vfs = new DiskVfs(disk);
        var path = Path.Combine(_folder, "live.db");
        var answers = new ConcurrentQueue<LedgerOutcome>();
        var losses = new List<Loss>();
        await using (var ledger = SqliteLedger.Open(new() { Path = path, Vfs = vfs.Name, WalPages = 30, Readers = 2 }, new FakeTimeProvider(Make.Start.ToDateTimeOffset())))
        {
            if (synchronous is not null) ledger.SetOnWriter("synchronous = " + synchronous);
            var next = disk.Operations + dice.Next(1, 200);
            disk.Before = operation =>
            {
                if (operation < next) return;
                next = operation + dice.Next(1, 300);
                Lose();
            };
            await ledger.ExecuteAsync(new PutCampaign("put", Make.Admin, Make.Start, Make.Campaign()), Lane.Decision, TestContext.Current.CancellationToken);
            await ledger.ExecuteAsync(new AddCoupons("add", Make.Admin, Make.Start, "spring", [.. Enumerable.Range(0, Redemptions).Select(i => new NewCoupon("C" + i, null, 1))]),
                Lane.Decision, TestContext.Current.CancellationToken);
            var taken = -1;
            await Task.WhenAll(Enumerable.Range(0, InFlight).Select(_ => Task.Run(async () =>
            {
                int i;
                while ((i = Interlocked.Increment(ref taken)) < Redemptions)
                    answers.Enqueue(await ledger.ExecuteAsync(Redemption(i, ledger.Campaigns.FindCoupon("C" + i)!), Lane.Decision, TestContext.Current.CancellationToken));
            })));
            Lose();   // and once at the end, before the file is closed
        }

        Assert.Equal(Redemptions, answers.Count);
        Assert.All(answers, a => Assert.Equal(RedemptionStatus.Approved, a.Decision!.Status));
        return losses;

        void Lose()
        {
            lock (losses)
            {
                var given = answers.ToArray();   // before the files: what is counted here was answered before this moment
                losses.Add(new(disk.AfterPowerLoss(torn ? dice : null), given));
            }
        }
    }

    private static DecideRedemption Redemption(int i, Domain.Campaigns.Coupon coupon) =>
        Make.Decide(Make.Proposal(string.Create(CultureInfo.InvariantCulture, $"r-{i}"), "customer-" + (i % 20), [Make.Use(coupon)]));

    /// <summary>Starts the ledger on what the power loss left: each answer must be there, once, as it was given, and the verifier must find nothing.</summary>
    private async Task<IReadOnlyList<string>> Missing(Loss loss, int number)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"after-{number}"))).FullName;
        foreach (var (path, bytes) in loss.Files)
            await File.WriteAllBytesAsync(Path.Combine(folder, Path.GetFileName(path)), bytes, TestContext.Current.CancellationToken);
        var file = Path.Combine(folder, "live.db");
        File.Copy(Path.Combine(_folder, "live.db.audit-key"), file + ".audit-key", true);
        var missing = new List<string>();
        try
        {
            await using (var ledger = SqliteLedger.Open(new() { Path = file, Readers = 1 }, new FakeTimeProvider(Make.Start.ToDateTimeOffset())))
            {
                foreach (var answer in loss.Answers)
                {
                    var id = answer.Decision!.Proposal.Request.Id;
                    var found = ledger.Reader.FindDecision(id);
                    if (found is null) missing.Add(id + " is lost");
                    else if ((found.Position, found.Status, found.HoldExpiresAt) != (answer.Position, answer.Decision.Status, answer.Decision.HoldExpiresAt)) missing.Add(id + " is another");
                }

                var all = ledger.Reader.LatestDecisions(Redemptions * 2).Select(d => d.Proposal.Request.Id).ToArray();
                if (all.Length != all.Distinct().Count()) missing.Add("a redemption is there twice");
            }

            missing.AddRange(LedgerVerifier.Verify(file, cancellationToken: TestContext.Current.CancellationToken).Findings.Select(f => f.ToString()));
        }
        catch (LedgerFaultException damaged)
        {
            missing.Add(damaged.Message);
        }

        return missing;
    }
}
