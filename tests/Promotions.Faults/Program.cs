using System.Globalization;
using System.Runtime.InteropServices;
using Promotions.Faults;
using Promotions.Faults.Report;
using Promotions.Faults.Scenarios;
using Promotions.Faults.Set;

// promotions-faults [--scenario NAME]... [--minutes N] [--seed N] ...: ./deploy/faults kafka. Exit code: 0 every promise kept, 1 a breach, 2 it could not be run.
if (args is ["--list"])
{
    foreach (var scenario in Catalog.All) Console.WriteLine($"{scenario.Name,-20}{scenario.Says}");
    return 0;
}

FaultOptions options;
try
{
    options = FaultOptions.Parse(args);
}
catch (ArgumentException wrong)
{
    await Console.Error.WriteLineAsync("error: " + wrong.Message);
    return 2;
}

using var cancel = new CancellationTokenSource();
void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    cancel.Cancel();
}

using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
var time = TimeProvider.System;
var started = time.GetTimestamp();
void Say(string what) => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.GetElapsedTime(started).TotalSeconds,7:0.0} s  {what}"));

var rows = new List<ScenarioRow>();
try
{
    await using var set = await ScaledSet.StartAsync(options.Brokers, Path.Combine(options.Artifacts, "logs"), Say, cancel.Token);
    var run = new FaultRun(set, options, Say);
    await run.OpenShopAsync(cancel.Token);
    foreach (var scenario in options.Scenarios)
    {
        Say($"== {scenario.Name}: {scenario.Says}");
        var row = await run.RunAsync(scenario, cancel.Token);
        rows.Add(row);
        Say(FaultReport.Header);
        Say(FaultReport.Line(row));
        foreach (var breach in row.Breaches.Take(20)) Say($"BROKEN {breach.Kind.ToString().ToLowerInvariant()}: {breach.What}");
        await File.WriteAllTextAsync(Path.Combine(options.Artifacts, "kafka.json"), FaultReport.Json(options.Seed, options.Brokers, rows), cancel.Token);
    }
}
catch (OperationCanceledException) when (cancel.IsCancellationRequested)
{
    Say("stopped.");
    return 2;
}
catch (InvalidOperationException fault)
{
    await Console.Error.WriteLineAsync("error: " + fault.Message);
    return 2;
}

Console.WriteLine();
Console.WriteLine(FaultReport.Header);
foreach (var row in rows) Console.WriteLine(FaultReport.Line(row));
return rows.All(row => row.Breaches.Count == 0) ? 0 : 1;
