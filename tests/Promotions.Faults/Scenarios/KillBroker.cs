namespace Promotions.Faults.Scenarios;

/// <summary>One of three brokers dies and comes back, the next one in the next round: each leads partitions, one leads the controllers.</summary>
internal sealed class KillBroker : Scenario
{
    public override string Name => "kill-broker";
    public override string Says => "kill -9 of one of three brokers (copies 3, in sync 2), and its restart";
    public override int BrokersMin => 3;

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        var broker = round % stage.Set.Brokers;
        stage.Say($"killing broker {broker}");
        await stage.Set.Kafka.KillAsync(broker);
        await Task.Delay(stage.Pause, cancellationToken);
        await stage.Set.Kafka.RestartAsync(broker);
    }
}
