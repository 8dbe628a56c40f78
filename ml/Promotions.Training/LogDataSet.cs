using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;

namespace Promotions.Training;

/// <summary>One redemption attempt of a log: what was known when it was decided, and what was said of it later.</summary>
/// <param name="Position">In the log.</param>
/// <param name="Vector">In the registry's order; NaN where missing or late.</param>
/// <param name="Abuse">The last label that had arrived by the log's end; null where nobody said anything.</param>
/// <param name="LabelAt">When it arrived.</param>
/// <param name="Status">What it was answered; null where no decision is at hand.</param>
/// <param name="LetThrough">Where the model alone would have blocked it while a share of such attempts passed; else null.</param>
public sealed record LoggedAttempt(string RedemptionId, long Position, EventTime At, float[] Vector, ulong[] Entities, bool? Abuse, EventTime? LabelAt, string? LabelSource, RedemptionStatus? Status = null, LetThroughDraw? LetThrough = null);

/// <summary>What the log held that is not a row, or not as it should be. Unit: records.</summary>
/// <param name="Repeated">Attempts that the log holds more than once: the first is the row.</param>
/// <param name="LabelsOfNothing">Labels of attempts that the log does not hold.</param>
/// <param name="LabelsBeforeTheirAttempt">Labels with a time before that of the attempt that they judge: not used.</param>
/// <param name="Compared">Vectors that were recorded with their decision under today's layout, and compared with the replay's.</param>
/// <param name="Different">Of them, those that the replay gave otherwise: state or code is not what decided.</param>
public sealed record LogFindings(int Repeated, int LabelsOfNothing, int LabelsBeforeTheirAttempt, int Compared, int Different);

/// <summary>Attempts of a log with point-in-time vectors, and their labels as they had arrived by its end.</summary>
/// <param name="Until">Time of the log's last record: labels later than this are not known.</param>
public sealed record LogDataSet(IReadOnlyList<LoggedAttempt> Rows, EventTime Until, LogFindings Findings)
{
    /// <summary>Folds the whole log and keeps the attempts of a period. An attempt's vector is taken when it is observed: nothing behind it in the log can reach it.</summary>
    /// <remarks>Where the decision is at hand, the request's own features (a discount is priced by the campaigns of its day) and which parts came late are taken from its record.</remarks>
    /// <param name="log">From its beginning, in order of position.</param>
    /// <param name="decisionOf">The recorded decision of an attempt; null where there is none.</param>
    /// <param name="from">Event time of the first row.</param>
    /// <param name="to">Event time before which rows lie.</param>
    /// <exception cref="InvalidDataException">A record cannot be read or was given up.</exception>
    public static LogDataSet Read(IEnumerable<LogRecord> log, ICampaignSnapshot campaigns, Func<string, Decision?> decisionOf, EventTime from, EventTime to)
    {
        using var reader = new Reader(campaigns, decisionOf, from, to);
        foreach (var record in log) reader.Take(record);
        return reader.Finish();
    }

    private sealed class Reader(ICampaignSnapshot campaigns, Func<string, Decision?> decisionOf, EventTime from, EventTime to) : IDisposable
    {
        private readonly LogReplay _replay = new(campaigns, [new ChannelPolicy("*", [], ScorerFallback.Review)]);
        private readonly List<LoggedAttempt> _rows = [];
        private readonly Dictionary<string, (EventTime At, int Row)> _attempts = new(StringComparer.Ordinal);     // row −1: outside the period
        private EventTime _until;
        private int _repeated, _labelsOfNothing, _labelsBefore, _compared, _different;

        public void Take(LogRecord record)
        {
            if (record.At > _until) _until = record.At;
            switch (record.Topic)
            {
                case Topics.Requests: Observe(record); break;
                case Topics.Labels: Judge(record); break;
                case Topics.Outcomes or Topics.Orders or Topics.Returns: _replay.Fold(record.Topic, record.Value, record.At); break;
            }
        }

        public LogDataSet Finish() => new(_rows, _until, new(_repeated, _labelsOfNothing, _labelsBefore, _compared, _different));

        public void Dispose() => _replay.Dispose();

        private void Observe(LogRecord record)
        {
            var proposal = _replay.Observe(record.Value, record.At);
            var request = proposal.Request;
            if (request.Kind is AttemptKind.Validation) return;         // nobody judges a trial
            var inside = record.At >= from && record.At < to;
            if (!_attempts.TryAdd(request.Id, (record.At, inside ? _rows.Count : -1)))
            {
                _repeated++;
                return;
            }
            if (!inside) return;
            var vector = proposal.Risk.Vector.ToArray();
            var decision = decisionOf(request.Id);
            if (decision is not null) TakeRecorded(vector, decision.Proposal.Risk);
            _rows.Add(new(request.Id, record.Position, record.At, vector, TrainingRow.KeysOf(proposal.Entities), null, null, null, decision?.Status, decision?.Proposal.Risk.LetThrough));
        }

        private void TakeRecorded(float[] vector, RiskAssessment recorded)
        {
            if (recorded.LayoutHash != FeatureRegistry.LayoutHash) return;
            FeatureVector.Part(recorded.Vector.ToArray(), EntityKind.None).CopyTo(FeatureVector.Part(vector, EntityKind.None));
            foreach (var kind in Promotions.Features.Entities.Kinds)
                if ((recorded.LateMask & (1u << (int)kind)) != 0) FeatureVector.Clear(FeatureVector.Part(vector, kind));
            _compared++;
            if (FeatureVector.Hash(vector) != FeatureVector.Hash(recorded.Vector.Span)) _different++;
        }

        private void Judge(LogRecord record)
        {
            var label = RecordCodec.DecodeLabel(record.Value.Span);
            _replay.Fold(record.Topic, record.Value, record.At);
            if (!_attempts.TryGetValue(label.RedemptionId, out var attempt)) _labelsOfNothing++;
            else if (label.At < attempt.At) _labelsBefore++;
            else if (attempt.Row >= 0) _rows[attempt.Row] = _rows[attempt.Row] with { Abuse = label.Abuse, LabelAt = label.At, LabelSource = label.Source };
        }
    }
}
