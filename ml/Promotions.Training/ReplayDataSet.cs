using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;
using Promotions.Simulation;

namespace Promotions.Training;

/// <summary>Vectors of simulated shops, computed by the same fold that serves, with the labels that had arrived by the end.</summary>
/// <remarks>
/// Point-in-time exact: an attempt's vector is taken when it is observed, and outcomes, orders and labels are folded in from their own time on. An attempt
/// nobody complained about counts as honest, as it does in a shop; rows so late that their complaints could not have come yet are left out.
/// </remarks>
public static class ReplayDataSet
{
    /// <summary>Chargebacks take up to 60 days: attempts of the last 60 days of a shop teach nothing yet.</summary>
    private const int LabelDelayDays = 60;

    /// <param name="seeds">One shop each, all over the same days.</param>
    /// <param name="days">Days from which rows are taken, 1 or more; each shop runs 60 days longer for its labels to come.</param>
    public static DataSet Create(IReadOnlyList<ulong> seeds, EventTime start, int days)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(days, 1);
        var rows = new List<TrainingRow>();
        foreach (var seed in seeds) rows.AddRange(RowsOf(seed, start, days));
        rows.Sort(static (left, right) => left.At.CompareTo(right.At));
        return new(
            FeatureRegistry.LayoutHash, [.. FeatureRegistry.Features.Select(f => f.Name)],
            string.Create(CultureInfo.InvariantCulture, $"replay of {seeds.Count} simulated shops (seeds {string.Join(", ", seeds)}), labels as they had arrived"), (long)seeds[0], rows);
    }

    private static List<TrainingRow> RowsOf(ulong seed, EventTime start, int days)
    {
        using var shop = new Shop(seed, start.Plus(TimeSpan.FromDays(days)));
        var retailer = new SimulatedRetailer(new SimulationOptions { Seed = seed, Start = start, Days = days + LabelDelayDays });
        shop.Checkout.Run(retailer, shop.Take);
        return shop.Rows();
    }

    /// <summary>One shop's log through the redemption topology: the vectors are those that its decisions would have been made on.</summary>
    private sealed class Shop : IDisposable
    {
        private readonly ulong _seed;
        private readonly EventTime _rowsUntil;
        private readonly LogReplay _replay;
        private readonly Dictionary<string, (ReadOnlyMemory<float> Vector, EventTime At, AttemptEntities Entities, string Kind)> _attempts = new(StringComparer.Ordinal);
        private readonly HashSet<string> _abusive = new(StringComparer.Ordinal);

        public Shop(ulong seed, EventTime rowsUntil)
        {
            _seed = seed;
            _rowsUntil = rowsUntil;
            _replay = new(Checkout, [Till, Others]);
        }

        public ReferenceCheckout Checkout { get; } = new();

        public void Take(SimulatedEvent happened, DecisionFeedback? feedback)
        {
            switch (happened)
            {
                case RedemptionAttempted attempt: Observe(attempt, feedback!); break;
                case Ordered ordered: _replay.Fold(Topics.Orders, RecordCodec.Encode(ordered.Order), ordered.Order.At); break;
                case Returned returned: _replay.Fold(Topics.Returns, RecordCodec.Encode(returned.Return), returned.Return.At); break;
                case Labelled labelled: Fold(labelled.Label); break;
            }
        }

        public List<TrainingRow> Rows() => [.. _attempts.Where(a => a.Value.At < _rowsUntil).Select(a => new TrainingRow(a.Value.Vector.ToArray(), _abusive.Contains(a.Key), 1, a.Value.At, Keys(a.Value.Entities), a.Value.Kind))];

        public void Dispose() => _replay.Dispose();

        /// <summary>A shop's names are its own: the same name in another shop is somebody else.</summary>
        private ulong[] Keys(AttemptEntities entities) => TrainingRow.KeysOf(entities, $"{_seed}/");

        private void Observe(RedemptionAttempted attempt, DecisionFeedback feedback)
        {
            var request = attempt.Request;
            var entities = ChannelEntities.Of(request, PolicyOf(request.Channel));
            var proposal = _replay.Observe(ObservedRequest.Encode(request, entities), request.At);
            var outcome = new RedemptionOutcome(
                request.Id, request.Kind, feedback.Status, feedback.Refusal.ToString(), proposal.Priced.Redeemables.Any(r => r.UnknownCode), proposal.Priced.Discount, request.At, entities);
            _replay.Fold(Topics.Outcomes, RecordCodec.Encode(outcome), outcome.At);
            _attempts[request.Id] = (proposal.Risk.Vector, request.At, entities, attempt.Truth.Kind);
        }

        private void Fold(LabelRecorded label)
        {
            if (!_attempts.TryGetValue(label.RedemptionId, out var attempt)) return;
            _replay.Fold(Topics.Labels, RecordCodec.Encode(label with { Entities = attempt.Entities }), label.At);
            if (label.Abuse) _abusive.Add(label.RedemptionId);
            else _abusive.Remove(label.RedemptionId);
        }

        private static ChannelPolicy PolicyOf(string channel) => channel.StartsWith("pos-", StringComparison.Ordinal) ? Till : Others;
        private static readonly ChannelPolicy Till = new("pos-*", ["device", "ip", "network"], ScorerFallback.Review);
        private static readonly ChannelPolicy Others = new("*", [], ScorerFallback.Review);
    }
}
