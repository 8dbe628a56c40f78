using Promotions.Domain;
using Promotions.Domain.Campaigns;

namespace Promotions.Simulation;

/// <summary>What a campaign truly does to sales per customer, known because the simulation can run the world twice.</summary>
/// <param name="Difference">All treated − all control, minor units per triggered customer.</param>
/// <param name="StandardError">Of the difference, over the draws; NaN for fewer than two.</param>
/// <param name="Customers">Triggered ones in all draws together.</param>
public sealed record EffectTruth(double Difference, double StandardError, long Customers)
{
    /// <summary>Over many draws of the population: the same customers in a world where all are treated and one where none is, in that campaign alone.</summary>
    /// <remarks>Measured as results are: orders from the first trigger to the end of the campaign (or of the run), returns taken off, all triggered customers. The
    /// control group's share and other campaigns' arms stay as the options and the engine's hash say. Honest worlds are meant: set no scenarios and slack limits.</remarks>
    public static EffectTruth Of(SimulationOptions options, string campaignId, int draws, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(draws, 1);
        var differences = new double[draws];
        long customers = 0;
        double treatedSum = 0, controlSum = 0;
        for (var i = 0; i < draws; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var drawn = options with { Seed = Draws.Key(options.Seed, Purpose.Person, -1 - i) };
            var treated = CampaignSales.Measure(drawn, campaignId, Arm.Treated);
            var control = CampaignSales.Measure(drawn, campaignId, Arm.Control);
            if (treated.Count != control.Count) throw new InvalidOperationException($"An arm of {campaignId} changed who was triggered: {treated.Count} against {control.Count}.");
            customers += treated.Count;
            var (inTreated, inControl) = (treated.Values.Sum(static sales => (double)sales), control.Values.Sum(static sales => (double)sales));
            differences[i] = treated.Count == 0 ? 0 : (inTreated - inControl) / treated.Count;
            (treatedSum, controlSum) = (treatedSum + inTreated, controlSum + inControl);
        }

        var mean = customers == 0 ? 0 : (treatedSum - controlSum) / customers;
        var error = draws < 2 ? double.NaN : Math.Sqrt(differences.Sum(one => (one - mean) * (one - mean)) / (draws - 1) / draws);
        return new(mean, error, customers);
    }
}

/// <summary>Sales of every triggered customer of one campaign, as the results count them.</summary>
public static class CampaignSales
{
    /// <param name="arm">Of all customers in that campaign; None: as the engine's hash says.</param>
    /// <returns>Minor units by customer, 0 for triggered customers who bought nothing.</returns>
    public static IReadOnlyDictionary<string, long> Measure(SimulationOptions options, string campaignId, Arm arm) => Measure(options, campaignId, arm, out _);

    /// <param name="arms">The arm of every triggered customer.</param>
    /// <inheritdoc cref="Measure(SimulationOptions, string, Arm)"/>
    public static IReadOnlyDictionary<string, long> Measure(SimulationOptions options, string campaignId, Arm arm, out IReadOnlyDictionary<string, Arm> arms)
    {
        var retailer = new SimulatedRetailer(options);
        var checkout = new ReferenceCheckout((id, _) => id == campaignId ? arm : Arm.None);
        var sales = new Dictionary<string, long>(StringComparer.Ordinal);
        var assigned = new Dictionary<string, Arm>(StringComparer.Ordinal);
        var counted = new HashSet<string>(StringComparer.Ordinal);
        var end = retailer.MeasuredCampaigns.First(campaign => campaign.Id == campaignId).EndsAt ?? new EventTime(long.MaxValue);
        checkout.Run(retailer, (happened, feedback) =>
        {
            switch (happened)
            {
                case RedemptionAttempted attempt:
                    foreach (var (id, given) in feedback!.Arms)
                        if (id == campaignId && sales.TryAdd(attempt.Request.Customer.Id, 0)) assigned[attempt.Request.Customer.Id] = given;
                    break;
                case Ordered { Order: var order } when order.At < end && sales.ContainsKey(order.Customer.Id):
                    sales[order.Customer.Id] += order.Total;
                    counted.Add(order.Id);
                    break;
                case Returned { Return: var back } when counted.Contains(back.OrderId):
                    sales[back.CustomerId] -= back.Amount;
                    break;
            }
        });
        arms = assigned;
        return sales;
    }
}
