using Promotions.Faults.Checking;

namespace Promotions.Faults.Report;

/// <summary>What came of one scenario.</summary>
/// <param name="Requests">HTTP requests, retries included.</param>
/// <param name="Acknowledged">Calls that were answered with a promise.</param>
/// <param name="Strikes">How often the fault was done.</param>
/// <param name="LongestGap">Without a first answer to any redemption.</param>
/// <param name="StartedAgain">Processes that ended by themselves.</param>
/// <param name="TurnedAway">Answers that promised nothing, by status and code.</param>
/// <param name="Notes">What the scenario saw beside.</param>
internal sealed record ScenarioRow(
    string Scenario, long Requests, int Acknowledged, int Strikes, TimeSpan LongestGap, TimeSpan Took, int StartedAgain, IReadOnlyDictionary<string, int> TurnedAway, IReadOnlyCollection<string> Notes, IReadOnlyList<Breach> Breaches)
{
    public int Lost => Breaches.Count(b => b.Kind is BreachKind.Lost or BreachKind.Stuck);
    public int Changed => Breaches.Count(b => b.Kind is BreachKind.Changed);
    public int Doubled => Breaches.Count(b => b.Kind is BreachKind.Doubled);
    public bool IsSound => Breaches.All(b => b.Kind is not BreachKind.Unsound);
}
