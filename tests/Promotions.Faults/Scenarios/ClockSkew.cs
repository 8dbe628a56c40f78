using System.Globalization;

namespace Promotions.Faults.Scenarios;

/// <summary>A pipeline whose clock is off. A little: decisions flow. A lot: its requests seem late or to come from the future, are refused, and wait for a clock that is right; nothing else may happen.</summary>
/// <remarks>By <c>PROMOTIONS_CLOCK_OFFSET_MS</c>: everything of ours in the process has the wrong clock; the Kafka client's and the database driver's own time-outs have the machine's. (Debian's libfaketime
/// was tried: the runtime's waits on sockets end too early or never under it, which is no fault of a clock.)</remarks>
internal sealed class ClockSkew : Scenario
{
    private static readonly int[] s_skewSeconds = [3, -3, 120, -120];

    public override string Name => "clock-skew";
    public override string Says => "a pipeline whose clock is off by 3 s, and by 2 minutes, either way";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        var process = stage.Set.Pipelines[round % 2];
        foreach (var skew in s_skewSeconds)
        {
            stage.Say($"the clock of {process.Name} is off by {skew} s");
            await stage.Set.LeaveAsync(process, cancellationToken);
            stage.Set.Run(process, new Dictionary<string, string> { ["PROMOTIONS_CLOCK_OFFSET_MS"] = (skew * 1_000).ToString(CultureInfo.InvariantCulture) });
            await process.ReadyAsync(cancellationToken);
            var before = stage.Journal.Decided;
            await Task.Delay(stage.Pause, cancellationToken);
            stage.Note($"clock off by {skew} s: {stage.Journal.Decided - before} redemptions were decided in {stage.Pause.TotalSeconds} s");
        }

        await stage.Set.KillAsync(process);
        stage.Set.Run(process);
        await process.ReadyAsync(cancellationToken);
    }
}
