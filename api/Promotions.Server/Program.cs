using System.CommandLine;
using Promotions.Server;

var time = TimeProvider.System;

var noDemo = new Option<bool>("--no-demo") { Description = "Start empty, without the demonstration shop." };
var noAnalytics = new Option<bool>("--no-analytics") { Description = "Run without the embedded ClickHouse: decisions are the same, results stay empty." };
var rate = new Option<double>("--rate") { Description = "Requests a second that the demonstration goes on sending.", DefaultValueFactory = _ => 2 };
var scenario = new Option<FileInfo?>("--scenario") { Description = "A further kind of abuse for the demonstration." };
var serve = new Command("serve", "Run the system: API, pipeline, sinks and dashboard in this process.") { noDemo, noAnalytics, rate, scenario };
serve.SetAction((parsed, _) => GuardAsync(() => ServeCommand.RunAsync(
    ServerOptions.FromEnvironment() with
    {
        Demo = !parsed.GetValue(noDemo),
        Analytics = !parsed.GetValue(noAnalytics),
        Rate = parsed.GetValue(rate),
        ScenarioFile = parsed.GetValue(scenario)?.FullName,
    },
    time)));

var verify = new Command("verify", "Re-check every invariant of the ledger, stopped or live.");
verify.SetAction((_, _) => GuardAsync(() => Task.FromResult(MaintenanceCommands.Verify(ServerOptions.FromEnvironment()))));

var rebuild = new Command("rebuild-analytics", "Drop ClickHouse's tables and fill them again from the ledger.");
rebuild.SetAction((_, cancellationToken) => GuardAsync(() => MaintenanceCommands.RebuildAnalyticsAsync(ServerOptions.FromEnvironment(), time, cancellationToken)));

var dataSet = new Argument<string>("data-set") { Description = "completejourney" };
dataSet.AcceptOnlyFromAmong("completejourney");
var source = new Option<DirectoryInfo>("--source") { Description = "The data set's folder.", Required = true };
var replay = new Command("replay", "Send a recorded year through the whole path at full speed.") { dataSet, source };
replay.SetAction((parsed, cancellationToken) =>
    GuardAsync(() => ReplayCommand.RunAsync(ServerOptions.FromEnvironment(), parsed.GetRequiredValue(source).FullName, time, cancellationToken)));

var root = new RootCommand("Promotions: coupons and balances with a fraud decision inside every redemption.") { serve, verify, rebuild, replay };
return await root.Parse(args).InvokeAsync();

// What the operator can mend is one sentence and exit code 2; everything else is a defect and keeps its stack.
static async Task<int> GuardAsync(Func<Task<int>> command)
{
    try
    {
        return await command();
    }
    catch (StartRefusedException refused)
    {
        await Console.Error.WriteLineAsync("error: " + refused.Message);
        return 2;
    }
}
