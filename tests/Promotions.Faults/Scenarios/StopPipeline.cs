namespace Promotions.Faults.Scenarios;

/// <summary>A pipeline sleeps in mid-air, its partitions go to the other, and it wakes with records, transactions and commits half done: whatever it still does must be refused.</summary>
internal sealed class StopPipeline : Scenario
{
    public override string Name => "stop-pipeline";
    public override string Says => "SIGSTOP of a pipeline for a minute, then SIGCONT";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        var sleeper = stage.Set.Pipelines[round % 2];
        stage.Say($"stopping {sleeper.Name} for {stage.Stop.TotalSeconds} s");
        await sleeper.StopInMidAirAsync(cancellationToken);
        try
        {
            await Task.Delay(stage.Stop, cancellationToken);
        }
        finally
        {
            await sleeper.ContinueAsync(CancellationToken.None);
        }
    }
}
