namespace Promotions.Faults.Scenarios;

/// <summary>A pipeline whose clock is off. A little: decisions flow. A lot: its requests seem late or to come from the future, are refused, and wait for a clock that is right; nothing else may happen.</summary>
/// <remarks>By Debian's libfaketime, so that everything in the process has the wrong clock, the Kafka client included; time that has passed is still measured rightly.</remarks>
internal sealed class ClockSkew : Scenario
{
    private static readonly string[] s_skews = ["+3s", "-3s", "+120s", "-120s"];

    public override string Name => "clock-skew";
    public override string Says => "a pipeline whose clock is off by 3 s, and by 2 minutes, either way";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        var library = Directory.Exists("/usr/lib") ? Directory.EnumerateFiles("/usr/lib", "libfaketimeMT.so.1", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 }).FirstOrDefault() : null;
        if (library is null) throw new InvalidOperationException("libfaketime is missing. Run: apt-get install libfaketime");
        var process = stage.Set.Pipelines[round % 2];
        foreach (var skew in s_skews)
        {
            stage.Say($"the clock of {process.Name} is off by {skew}");
            await stage.Set.LeaveAsync(process, cancellationToken);
            stage.Set.Run(process, new Dictionary<string, string> { ["LD_PRELOAD"] = library, ["FAKETIME"] = skew, ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1", ["DONT_FAKE_MONOTONIC"] = "1" });
            await process.ReadyAsync(cancellationToken);
            var before = stage.Journal.Decided;
            await Task.Delay(stage.Pause, cancellationToken);
            stage.Note($"{skew}: {stage.Journal.Decided - before} redemptions were decided in {stage.Pause.TotalSeconds} s");
        }

        await stage.Set.KillAsync(process);
        stage.Set.Run(process);
        await process.ReadyAsync(cancellationToken);
    }
}
