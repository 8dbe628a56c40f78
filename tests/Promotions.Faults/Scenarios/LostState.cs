namespace Promotions.Faults.Scenarios;

/// <summary>A pipeline is stopped, its disk is lost, and it comes back with nothing; in the next round without a clean end.</summary>
internal sealed class LostState : Scenario
{
    public override string Name => "lost-state";
    public override string Says => "the local state of a stopped pipeline is deleted";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        var victim = stage.Set.Pipelines[round % 2];
        stage.Say($"{victim.Name} loses its disk");
        if (round % 2 == 0) await stage.Set.LeaveAsync(victim, cancellationToken);
        else await stage.Set.KillAsync(victim);
        Directory.Delete(victim.Data, recursive: true);
        stage.Set.Run(victim);
        await victim.ReadyAsync(cancellationToken);
        // It takes its tasks back from the other, whose copy is ahead: that is what has to be restored.
        await Task.Delay(stage.Pause, cancellationToken);
    }
}
