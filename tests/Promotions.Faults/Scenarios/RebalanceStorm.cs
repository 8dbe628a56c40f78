using System.Diagnostics;

namespace Promotions.Faults.Scenarios;

/// <summary>Each second a further pipeline joins or leaves, often before the rebalance of the one before is over.</summary>
internal sealed class RebalanceStorm : Scenario
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    public override string Name => "rebalance-storm";
    public override string Says => "a member joins or leaves each second for a minute";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        var extras = stage.Set.Pipelines.Skip(2).ToList();
        var leaving = extras.ToDictionary(extra => extra, _ => Task.CompletedTask);
        var (joined, left) = (0, 0);
        var from = Stopwatch.GetTimestamp();
        for (var second = 0; Stopwatch.GetElapsedTime(from) < stage.Storm; second++)
        {
            var extra = extras[second % extras.Count];
            if (!leaving[extra].IsCompleted)
            {
                // Still on its way out: it is the next one's turn.
            }
            else if (extra.IsRunning)
            {
                leaving[extra] = stage.Set.LeaveAsync(extra, cancellationToken);
                left++;
            }
            else if (!extra.EndedByItself)
            {
                stage.Set.Run(extra);
                joined++;
            }

            await Task.Delay(Between, cancellationToken);
        }

        await Task.WhenAll(leaving.Values);
        stage.Note($"{joined} joined and {left} left");
    }
}
