namespace Promotions.Faults.Scenarios;

/// <summary>Every scenario, in the order of a whole run.</summary>
internal static class Catalog
{
    public static readonly IReadOnlyList<Scenario> All = [new KillPipeline()];
}
