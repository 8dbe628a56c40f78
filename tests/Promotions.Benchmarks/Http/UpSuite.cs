namespace Promotions.Benchmarks.Http;

/// <summary>Second start to ready, and memory of all processes 60 s after it, with the demonstration shop.</summary>
internal sealed class UpSuite : IBenchSuite
{
    public string Name => "up";

    public async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        var data = Directory.CreateTempSubdirectory("promotions-bench-up-").FullName;
        try
        {
            report.Progress("first start: loading the demonstration shop");
            await using (var first = await ServerProcess.StartAsync(data, [], cancellationToken))
                report.Cost("up.first", first.ReadyAfter.TotalSeconds, "s", note: "first start with the demonstration's 60 days");
            await using var second = await ServerProcess.StartAsync(data, [], cancellationToken);
            report.Cost("up.ready", second.ReadyAfter.TotalSeconds, "s");
            report.Progress("60 s of live demonstration");
            await Task.Delay(TimeSpan.FromSeconds(60), cancellationToken);
            report.Cost("up.memory", second.ProportionalMemory(), "B", note: "sum of PSS of all processes");
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }
}
