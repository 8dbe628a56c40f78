using System.Diagnostics;
using System.Globalization;
using Promotions.Domain;
using Promotions.Training;
using Promotions.Training.Tests;

namespace Promotions.Benchmarks;

/// <summary>From a log in memory to a Parquet file: fold, join, write.</summary>
internal sealed class DataSetSuite : IBenchSuite
{
    private const int Passes = 5;

    public string Name => "dataset";

    public async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        report.Progress("simulating a shop's log");
        var start = EventTime.From(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var log = SimulatedLog.Create(new() { Seed = 401, Start = start, Days = 45 });
        var (rates, perCpu) = (new List<double>(), new List<double>());
        var (rows, bytes) = (0, 0L);
        for (var pass = -1; pass < Passes; pass++)        // the first one warms the code up
        {
            using var file = new MemoryStream();
            var (began, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            var data = LogDataSet.Read(log.Records, log.Checkout, _ => null, start, start.Plus(TimeSpan.FromDays(200)));
            await ParquetDataSet.WriteAsync(file, data, cancellationToken);
            if (pass < 0) continue;
            rates.Add(data.Rows.Count / Stopwatch.GetElapsedTime(began).TotalSeconds);
            perCpu.Add(data.Rows.Count / (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
            (rows, bytes) = (data.Rows.Count, file.Length);
        }
        rates.Sort();
        perCpu.Sort();
        report.Rate("dataset.rate", rates[Passes / 2], "rows/s", note: string.Create(CultureInfo.InvariantCulture,
            $"{rows:#,0} attempts of {log.Records.Count:#,0} records in memory, one thread, to Parquet ({bytes / 1e6:0.0} MB); median of {Passes} after one to warm up; {perCpu[Passes / 2]:#,0} per second of CPU, garbage collection included; reading the records from the ledger's file and its decisions is not in it"));
    }
}
