using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;
using Promotions.Processing.State;
using Promotions.Processing.Topologies;
using Promotions.Streams;

namespace Promotions.Training;

/// <summary>A log through the redemption topology, record by record: the vectors are those that its decisions would have been made on.</summary>
/// <param name="policies">Which entities count is the request's own record; the costs decide nothing here.</param>
internal sealed class LogReplay(ICampaignSnapshot campaigns, IReadOnlyList<ChannelPolicy> policies) : IDisposable
{
    private const long CacheBytes = 1L << 30;

    private readonly TopologyDriver _driver = new(RedemptionTopology.Build(
        () => new Decider(new FeatureCatalog()),
        () => new DecisionInputs(null, "the model is what these rows are for", new FraudPolicy(0, FraudCosts.Default, 0, [], policies, TimeSpan.Zero), campaigns),
        CacheBytes));

    /// <param name="observed">As <see cref="ObservedRequest"/> wrote it.</param>
    /// <exception cref="InvalidDataException">The topology gave the record up.</exception>
    public DecisionProposal Observe(ReadOnlyMemory<byte> observed, EventTime at)
    {
        Fold(Topics.Requests, observed, at);
        var proposal = (DecisionProposal)_driver.Outputs[^1].Value!;
        _driver.ClearOutputs();
        return proposal;
    }

    /// <summary>Folds in an outcome, an order, a return or a label.</summary>
    /// <exception cref="InvalidDataException">The topology gave the record up.</exception>
    public void Fold(string topic, ReadOnlyMemory<byte> value, EventTime at)
    {
        _driver.Pipe(topic, value, at);
        if (_driver.DeadLetters is [{ } letter, ..]) throw new InvalidDataException($"A record of {letter.Topic} was given up: {letter.Reason}");
    }

    public void Dispose() => _driver.Dispose();
}
