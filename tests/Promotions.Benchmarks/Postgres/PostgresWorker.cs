using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Ledger.Postgres;

namespace Promotions.Benchmarks.Postgres;

/// <summary>One pipeline process as the ledger sees it: batches of decisions on its own numbers, two in flight.</summary>
internal static class PostgresWorker
{
    public const int Batch = 256;
    private const int InFlight = 2;

    /// <summary>Reads <c>FIRST COUNT</c> from its input, line by line, makes those redemptions and says <c>made</c>; at the next line it books them and says <c>done</c>. Ends with its input.</summary>
    /// <param name="args">Connection string, number of campaigns.</param>
    public static async Task<int> RunAsync(string[] args, CancellationToken cancellationToken)
    {
        var campaigns = int.Parse(args[1], CultureInfo.InvariantCulture);
        await using var ledger = await PostgresLedger.OpenAsync(new() { ConnectionString = args[0] }, TimeProvider.System, cancellationToken);
        var task = await ledger.AcquireAsync("bench/" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture), cancellationToken);
        Console.WriteLine("ready");
        while (await Console.In.ReadLineAsync(cancellationToken) is { } line)
        {
            var range = line.Split(' ').Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            var batches = Make(range[0], range[1], campaigns);
            Console.WriteLine("made");
            await Console.In.ReadLineAsync(cancellationToken);
            await DriveAsync(ledger, task, batches, cancellationToken);
            Console.WriteLine("done");
        }

        return 0;
    }

    public static string CampaignOf(int i, int campaigns) => string.Create(CultureInfo.InvariantCulture, $"spring-{i % campaigns}");

    /// <summary>The requests as their callers hand them in: nothing of them is encoded or hashed for the ledger yet.</summary>
    public static LogAppend[][] Make(int first, int count, int campaigns)
    {
        var now = EventTime.Now(TimeProvider.System);
        return [.. Enumerable.Range(first, count).Select(i =>
        {
            var command = LedgerLoad.Redemption(i, now, CampaignOf(i, campaigns));
            return new LogAppend("redemption-requests", command.Proposal.Request.Customer.Id, LedgerLoad.RecordBytes, now, 42, command);
        }).Chunk(Batch)];
    }

    public static async Task DriveAsync(PostgresLedger ledger, TaskEpoch task, LogAppend[][] batches, CancellationToken cancellationToken)
    {
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(_ => Task.Run(Loop, cancellationToken)));

        async Task Loop()
        {
            int n;
            while ((n = Interlocked.Increment(ref next)) < batches.Length)
            {
                var receipt = await ledger.CommitAsync(task, batches[n], static outcomes =>
                    [.. outcomes.Select(o => new LogAppend("outcomes", o!.Decision!.Proposal.Request.Customer.Id, LedgerLoad.OutcomeBytes, o.Decision!.DecidedAt, 0, null))], cancellationToken);
                var refused = receipt.Outcomes.Count(o => o is not { Decision.Status: RedemptionStatus.Approved });
                if (refused > 0) throw new InvalidOperationException($"{refused} redemptions were refused.");
            }
        }
    }
}
