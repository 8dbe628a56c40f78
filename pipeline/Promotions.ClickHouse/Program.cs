using System.CommandLine;
using Promotions.ClickHouse;
using Promotions.ClickHouse.Engine;

// The ClickHouse engine in a process of its own, so that its crash is never ours.
var library = new Option<string>("--library") { Required = true, Description = "Path of libchdb.so (deploy/lib/fetch-chdb prints it)." };
var data = new Option<string>("--data") { Required = true, Description = "Folder of the tables; made when missing." };
var port = new Option<int>("--port") { DefaultValueFactory = static _ => 8123, Description = "On 127.0.0.1; 0 for any free one." };
var memory = new Option<long>("--memory-bytes-max") { DefaultValueFactory = static _ => 384L << 20, Description = "Of one statement." };
var threads = new Option<int>("--threads-max") { DefaultValueFactory = static _ => 2, Description = "Of one statement." };
var seconds = new Option<int>("--statement-seconds-max") { DefaultValueFactory = static _ => 60, Description = "A statement running longer is ended." };
var waiting = new Option<int>("--waiting-max") { DefaultValueFactory = static _ => 64, Description = "Statements waiting for their turn; more are refused." };
var body = new Option<long>("--statement-bytes-max") { DefaultValueFactory = static _ => 128L << 20, Description = "Of one statement with its data, uncompressed." };
var nice = new Option<int>("--niceness") { DefaultValueFactory = static _ => 0, Description = "How far to step back for other processes, 0 to 19." };
var tied = new Option<bool>("--exit-with-stdin") { Description = "Leave as soon as standard input ends: the parent is gone." };

var command = new RootCommand("The ClickHouse engine behind its HTTP protocol on 127.0.0.1.") { library, data, port, memory, threads, seconds, waiting, body, nice, tied };
command.SetAction((parsed, cancellationToken) => EngineHost.RunAsync(
    new EngineHostOptions(
        new EngineOptions(parsed.GetValue(library)!, parsed.GetValue(data)!, parsed.GetValue(memory), parsed.GetValue(threads), parsed.GetValue(seconds)),
        parsed.GetValue(port), parsed.GetValue(waiting), parsed.GetValue(body), parsed.GetValue(tied), Environment.GetEnvironmentVariable("PROMOTIONS_CLICKHOUSE_PASSWORD"),
        parsed.GetValue(nice)),
    cancellationToken));
return await command.Parse(args).InvokeAsync();
