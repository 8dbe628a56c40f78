namespace Promotions.Faults.Scenarios;

/// <summary>Every broker dies at once, and all come back on their data.</summary>
internal sealed class KillAllBrokers : Scenario
{
    public override string Name => "kill-brokers";
    public override string Says => "kill -9 of all brokers, and back";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        stage.Say("killing all brokers");
        var brokers = Enumerable.Range(0, stage.Set.Brokers).ToList();
        await Task.WhenAll(brokers.Select(stage.Set.Kafka.KillAsync));
        await Task.Delay(stage.Pause, cancellationToken);
        await Task.WhenAll(brokers.Select(stage.Set.Kafka.RestartAsync));      // together: alone, none has a majority
    }
}
