namespace Promotions.Faults.Scenarios;

/// <summary>A pipeline dies as in a crash; the other takes over; it comes back on what it left on disk.</summary>
internal sealed class KillPipeline : Scenario
{
    public override string Name => "kill-pipeline";
    public override string Says => "kill -9 of a pipeline, and its restart";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        var victim = stage.Set.Pipelines[round % 2];
        stage.Say($"killing {victim.Name}");
        await stage.Set.KillAsync(victim);
        await Task.Delay(stage.Pause, cancellationToken);
        stage.Set.Run(victim);
        await victim.ReadyAsync(cancellationToken);
    }
}
