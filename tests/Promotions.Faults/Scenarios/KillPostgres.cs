namespace Promotions.Faults.Scenarios;

/// <summary>The ledger's database dies with all its sessions, some of them between commit and answer, and recovers from its log.</summary>
internal sealed class KillPostgres : Scenario
{
    public override string Name => "kill-postgres";
    public override string Says => "kill -9 of PostgreSQL, and back";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        stage.Say("killing PostgreSQL");
        await stage.Set.Postgres.KillAsync(cancellationToken);
        await Task.Delay(stage.Pause / 2, cancellationToken);
        await stage.Set.Postgres.RestartAsync(cancellationToken);
    }
}
