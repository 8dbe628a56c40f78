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

    /// <summary>Reads <c>FIRST COUNT</c> from its input, line by line, books those redemptions and answers with a line each; ends with its input.</summary>
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
            await DriveAsync(ledger, task, range[0], range[1], campaigns, cancellationToken);
            Console.WriteLine("done");
        }

        return 0;
    }

    public static string CampaignOf(int i, int campaigns) => string.Create(CultureInfo.InvariantCulture, $"spring-{i % campaigns}");

    public static async Task DriveAsync(PostgresLedger ledger, TaskEpoch task, int first, int count, int campaigns, CancellationToken cancellationToken)
    {
        var now = EventTime.Now(TimeProvider.System);
        var next = first - Batch;
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(_ => Task.Run(Loop, cancellationToken)));

        async Task Loop()
        {
            int from;
            while ((from = Interlocked.Add(ref next, Batch)) < first + count)
            {
                var batch = Enumerable.Range(from, Math.Min(Batch, first + count - from)).Select(i =>
                {
                    var command = LedgerLoad.Redemption(i, now, CampaignOf(i, campaigns));
                    return new LogAppend("redemption-requests", command.Proposal.Request.Customer.Id, LedgerLoad.RecordBytes, now, 42, command);
                }).ToArray();
                var receipt = await ledger.CommitAsync(task, batch, static outcomes =>
                    [.. outcomes.Select(o => new LogAppend("outcomes", o!.Decision!.Proposal.Request.Customer.Id, LedgerLoad.OutcomeBytes, o.Decision!.DecidedAt, 0, null))], cancellationToken);
                var refused = receipt.Outcomes.Count(o => o is not { Decision.Status: RedemptionStatus.Approved });
                if (refused > 0) throw new InvalidOperationException($"{refused} redemptions were refused.");
            }
        }
    }
}
