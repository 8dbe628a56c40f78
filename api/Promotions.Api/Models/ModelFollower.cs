using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Promotions.Api.Http;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Processing.Costs;

namespace Promotions.Api.Models;

/// <summary>Reads what was decided and labelled, tells <see cref="LiveModels"/>, and says when drift begins and ends. Nothing waits for it.</summary>
/// <remarks>It reads the ledger instead of standing in the pipeline: an API process of the scaled set sees every process's decisions, a restart begins with the last day, and a decision pays nothing.
/// What is more than <see cref="PerTickMax"/> in a tick is left out, oldest first: at 400 decisions a second and above it sees a sample.</remarks>
internal sealed class ModelFollower(LiveModels live, ILedger ledger, ModelMetrics metrics, TimeProvider time, ILogger<ModelFollower> logger) : BackgroundService
{
    private const int PerTickMax = 2_000;
    private const int PageLength = 500;
    private const int WarmMax = 5_000;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LabelsBack = TimeSpan.FromDays(28);

    private long? _decisionsThrough;
    private long _labelsThrough;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();     // reading a day back is no part of the start
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            do
            {
                try
                {
                    Step(stoppingToken);
                }
                catch (LedgerFaultException fault)
                {
                    ApiLog.ModelsUnseen(logger, fault);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The system stops.
        }
    }

    private void Step(CancellationToken cancellationToken)
    {
        var now = EventTime.Now(time);
        if (_decisionsThrough is null) Begin(now);
        else Decisions();
        Labels(cancellationToken);
        foreach (var (reading, changes, holding) in live.Assess(now))
        {
            metrics.Show(reading, holding);
            foreach (var change in changes)
            {
                if (change.Began) ApiLog.DriftBegan(logger, reading.ModelHash, change.What, change.Value);
                else ApiLog.DriftEnded(logger, reading.ModelHash, change.What, change.Value);
            }
        }
    }

    private void Begin(EventTime now)
    {
        var through = ledger.Reader.LatestDecisions(1) is [var newest] ? newest.Position : 0;
        foreach (var decision in RecordedTraffic.Read(ledger.Reader, now.Plus(TimeSpan.FromHours(-24)), now, WarmMax).Decisions)
            if (decision.Position <= through) live.Observe(decision);
        _labelsThrough = RecordedTraffic.FirstAtOrAfter(ledger.Reader, now.Plus(-LabelsBack)) - 1;
        _decisionsThrough = through;
    }

    private void Decisions()
    {
        var (before, through, seen) = (long.MaxValue, _decisionsThrough!.Value, 0);
        var newest = through;
        while (seen < PerTickMax)
        {
            var page = ledger.Reader.LatestDecisions(PageLength, before);
            foreach (var decision in page)
            {
                if (decision.Position <= through) break;
                live.Observe(decision);
                newest = Math.Max(newest, decision.Position);
                seen++;
            }

            if (page.Count < PageLength || page[^1].Position <= through) break;
            before = page[^1].Position;
        }

        _decisionsThrough = newest;
    }

    private void Labels(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var page = ledger.Reader.Labels(_labelsThrough, PageLength);
            foreach (var label in page)
            {
                if (ledger.Reader.FindDecision(label.RedemptionId) is { } decision) live.Labelled(decision, label);
                _labelsThrough = label.Position;
            }

            if (page.Count < PageLength) return;
        }
    }
}
