using System.Diagnostics;
using System.Globalization;

namespace Promotions.Faults.Scenarios;

/// <summary>A process sleeps while it gives places in the audit tree and the outbox, with the row of the tree's head locked: others must get it and go on.</summary>
/// <remarks>Every process sequences by turns; the lock on <c>head</c> is the lease. So processes are stopped again and again for an instant, until one is caught with it.</remarks>
internal sealed class StopSequencer : Scenario
{
    private const int TriesMax = 1_500;

    public override string Name => "stop-sequencer";
    public override string Says => "SIGSTOP of the process that is sequencing, inside its step";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        var random = new Random(stage.Seed + round);
        for (var tries = 1; tries <= TriesMax; tries++)
        {
            var process = stage.Set.Pipelines[tries % 2];
            await process.StopInMidAirAsync(cancellationToken);
            try
            {
                if (await stage.Ledger.IsInStepAsync(process.User, cancellationToken))
                {
                    stage.Say($"{process.Name} was caught sequencing after {tries} tries; it stays stopped for {stage.Stop.TotalSeconds} s");
                    await WatchPlacesAsync(stage, cancellationToken);
                    return;
                }
            }
            finally
            {
                await process.ContinueAsync(CancellationToken.None);
            }

            await Task.Delay(random.Next(20), cancellationToken);
        }

        throw new InvalidOperationException($"No process was caught sequencing in {TriesMax} tries: the scenario says nothing.");
    }

    private static async Task WatchPlacesAsync(Stage stage, CancellationToken cancellationToken)
    {
        var from = Stopwatch.GetTimestamp();
        var latest = TimeSpan.Zero;
        while (Stopwatch.GetElapsedTime(from) < stage.Stop)
        {
            var waited = await stage.Ledger.PendingForAsync(cancellationToken);
            if (waited > latest) latest = waited;
            await Task.Delay(100, cancellationToken);
        }

        stage.Note(string.Create(CultureInfo.InvariantCulture, $"the sequencer was stopped inside its step: an entry waited for its place for {latest.TotalSeconds:0.00} s at most"));
    }
}
