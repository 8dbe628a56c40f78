using System.CommandLine;
using Promotions.Server;
using Promotions.Server.Scaled;

var time = TimeProvider.System;

var noDemo = new Option<bool>("--no-demo") { Description = "Start empty, without the demonstration shop." };
var noAnalytics = new Option<bool>("--no-analytics") { Description = "Run without the embedded ClickHouse: decisions are the same, results stay empty." };
var rate = new Option<double>("--rate") { Description = "Requests a second that the demonstration goes on sending.", DefaultValueFactory = _ => 2 };
var scenario = new Option<FileInfo?>("--scenario") { Description = "A further kind of abuse for the demonstration." };
var demo = new Option<bool>("--demo") { Description = "In the scaled set: this process defines a demonstration shop and goes on as its customers." };
var roles = new Option<string?>("--roles") { Description = "In the scaled set: api, pipeline, sinks, admin, with commas between. Default: all." };
var bootstrap = new Option<string?>("--bootstrap") { Description = "Kafka's addresses, host:port with commas between. With --postgres, this is a process of the scaled set." };
var postgres = new Option<string?>("--postgres") { Description = "The ledger's PostgreSQL database, as a connection string." };
var clickHouse = new Option<string?>("--clickhouse") { Description = "ClickHouse's HTTP address: http://user:password@host:8123/database." };
var serve = new Command("serve", "Run the system: API, pipeline, sinks and dashboard in this process; or, over Kafka and PostgreSQL, some of these roles.")
{
    noDemo, noAnalytics, rate, scenario, demo, roles, bootstrap, postgres, clickHouse,
};
serve.SetAction((parsed, _) => GuardAsync(() =>
{
    var scaled = ScaledOptions.From(parsed.GetValue(roles), parsed.GetValue(bootstrap), parsed.GetValue(postgres), parsed.GetValue(clickHouse));
    var options = ServerOptions.FromEnvironment() with
    {
        Demo = scaled is null ? !parsed.GetValue(noDemo) : parsed.GetValue(demo),
        Analytics = !parsed.GetValue(noAnalytics),
        Rate = parsed.GetValue(rate),
        ScenarioFile = parsed.GetValue(scenario)?.FullName,
    };
    return scaled is null ? ServeCommand.RunAsync(options, time) : ScaledCommand.RunAsync(options, scaled, OffsetClock.FromEnvironment(time));
}));

var verify = new Command("verify", "Re-check every invariant of the ledger, stopped or live: the data folder's, or a PostgreSQL database's.") { postgres };
verify.SetAction((parsed, cancellationToken) => GuardAsync(() => MaintenanceCommands.VerifyAsync(
    ServerOptions.FromEnvironment(), parsed.GetValue(postgres) ?? Environment.GetEnvironmentVariable("PROMOTIONS_POSTGRES"), Environment.GetEnvironmentVariable("PROMOTIONS_CHECKPOINT_KEY"), cancellationToken)));

var grant = new Option<bool>("--grant") { Description = "Then give each role of the set its rights, and take back all others." };
var migrate = new Command("migrate", "Make the PostgreSQL ledger's tables or bring them forward, as the database's owner; then run deploy/postgres/roles.sql, or have --grant do it.") { postgres, grant };
migrate.SetAction((parsed, cancellationToken) => GuardAsync(() => MaintenanceCommands.MigrateAsync(parsed.GetValue(postgres) ?? Environment.GetEnvironmentVariable("PROMOTIONS_POSTGRES"), parsed.GetValue(grant), cancellationToken)));

var plan = new Option<bool>("--plan") { Description = "Print the commands that make them, for an operator.", Required = true };
var topics = new Command("topics", "What the pipeline needs in Kafka under these settings.") { plan, bootstrap, postgres };
topics.SetAction((parsed, cancellationToken) => GuardAsync(() => PipelineRole.PrintPlanAsync(
    ServerOptions.FromEnvironment(), Pipeline(parsed), time, cancellationToken)));

var sendAgain = new Option<bool>("--send-again") { Description = "Send them to where they came from, after their cause was mended; without it they are listed." };
var reason = new Option<string?>("--reason") { Description = "Only those with this reason." };
var from = new Option<string?>("--topic") { Description = "Only those that came from this topic." };
var at = new Option<string?>("--at") { Description = "Only the one at this partition:offset of the dead letters, as they are listed." };
var deadLetters = new Command("dead-letters", "Records that the pipeline gave up, with their reasons; list them or send them again.") { sendAgain, reason, from, at, bootstrap, postgres };
deadLetters.SetAction((parsed, _) => GuardAsync(() => DeadLettersCommand.RunAsync(
    ServerOptions.FromEnvironment(), Pipeline(parsed), new(parsed.GetValue(reason), parsed.GetValue(from), parsed.GetValue(at)), parsed.GetValue(sendAgain), Console.Out)));

var rebuild = new Command("rebuild-analytics", "Drop ClickHouse's tables and fill them again from the ledger.");
rebuild.SetAction((_, cancellationToken) => GuardAsync(() => MaintenanceCommands.RebuildAnalyticsAsync(ServerOptions.FromEnvironment(), time, cancellationToken)));

var dataSet = new Argument<string>("data-set") { Description = "completejourney" };
dataSet.AcceptOnlyFromAmong("completejourney");
var source = new Option<DirectoryInfo>("--source") { Description = "The data set's folder.", Required = true };
var replay = new Command("replay", "Send a recorded year through the whole path at full speed.") { dataSet, source };
replay.SetAction((parsed, cancellationToken) =>
    GuardAsync(() => ReplayCommand.RunAsync(ServerOptions.FromEnvironment(), parsed.GetRequiredValue(source).FullName, time, cancellationToken)));

var root = new RootCommand("Promotions: coupons and balances with a fraud decision inside every redemption.") { serve, verify, migrate, topics, deadLetters, rebuild, replay };
return await root.Parse(args).InvokeAsync();

ScaledOptions Pipeline(ParseResult parsed) => ScaledOptions.From("pipeline", parsed.GetValue(bootstrap), parsed.GetValue(postgres), null)
    ?? throw new StartRefusedException("This is about the scaled set: name Kafka (--bootstrap) and PostgreSQL (--postgres).");

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
