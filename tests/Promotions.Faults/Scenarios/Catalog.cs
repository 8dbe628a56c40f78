namespace Promotions.Faults.Scenarios;

/// <summary>Every scenario, in the order of a whole run.</summary>
internal static class Catalog
{
    public static readonly IReadOnlyList<Scenario> All =
    [
        new KillPipeline(), new KillBroker(), new KillAllBrokers(), new KillPostgres(), new StopPipeline(), new StopSequencer(), new RebalanceStorm(), new Redelivery(), new LostState(), new RefusingBroker(),
        new ClockSkew(), new SingleUseRace(),
    ];
}
