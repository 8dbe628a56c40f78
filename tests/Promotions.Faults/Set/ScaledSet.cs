using System.Globalization;
using Promotions.Kafka.Cluster;

namespace Promotions.Faults.Set;

/// <summary>The scaled set on this machine: real Kafka and PostgreSQL servers, pipelines and an API in processes of their own; and a supervisor that starts again what ended by itself.</summary>
internal sealed class ScaledSet : IAsyncDisposable
{
    private const string Api = "api";
    private static readonly TimeSpan SuperviseEvery = TimeSpan.FromMilliseconds(500);

    private readonly string _folder;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _managing = new();
    private readonly HashSet<ServerProcess> _managed = [];
    private Task _supervising = Task.CompletedTask;
    private int _startedAgain;

    private ScaledSet(string folder, int brokers, KafkaCluster kafka, Postgres postgres, string logs, int pipelines)
    {
        (_folder, Brokers, Kafka, Postgres) = (folder, brokers, kafka, postgres);
        Gateway = Process(Api, "api", logs);
        // Two that decide, and some more that may join.
        Pipelines = [.. Enumerable.Range(1, pipelines).Select(n => Process(PipelineName(n), "pipeline", logs))];
    }

    public int Brokers { get; }
    public KafkaCluster Kafka { get; }
    public Postgres Postgres { get; }
    public ServerProcess Gateway { get; }

    /// <summary>The first two run between scenarios.</summary>
    public IReadOnlyList<ServerProcess> Pipelines { get; }

    /// <summary>Processes that ended by themselves, and were started again.</summary>
    public int StartedAgain => Volatile.Read(ref _startedAgain);

    /// <param name="say">Told what is going on.</param>
    /// <exception cref="InvalidOperationException">A server or process does not start; the message says which, and why.</exception>
    public static async Task<ScaledSet> StartAsync(int brokers, string logs, Action<string> say, CancellationToken cancellationToken)
    {
        const int Pipelines = 5;
        var folder = Directory.CreateTempSubdirectory("promotions-faults-").FullName;
        if (!OperatingSystem.IsWindows()) // PostgreSQL refuses root and runs as its own user, which must come this far
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        if (Directory.Exists(logs)) Directory.Delete(logs, recursive: true);      // of an earlier run
        Directory.CreateDirectory(logs);
        say($"starting Apache Kafka ({brokers} server{(brokers == 1 ? "" : "s")}) and PostgreSQL ...");
        KafkaCluster? kafka = null;
        Postgres? postgres = null;
        ScaledSet? set = null;
        try
        {
            postgres = await Postgres.StartAsync(Path.Combine(folder, "postgres"), cancellationToken);
            var preparing = postgres.PrepareAsync(Enumerable.Range(1, Pipelines).Select(n => PipelineName(n).Replace('-', '_')), Api, cancellationToken);
            kafka = await KafkaCluster.StartAsync(brokers);
            await preparing;
            set = new(folder, brokers, kafka, postgres, logs, Pipelines);
            say("starting two pipelines and the API ...");
            set.Run(set.Pipelines[0]);
            await set.Pipelines[0].ReadyAsync(cancellationToken);       // it makes the topics; the others find them
            await set.HealAsync(cancellationToken);
            set._supervising = Task.Run(set.SuperviseAsync, CancellationToken.None);
            return set;
        }
        catch
        {
            if (set is not null) await set.DisposeAsync();
            else await EndServersAsync(folder, kafka, postgres);
            throw;
        }
    }

    /// <summary>Started, and started again whenever it ends by itself.</summary>
    public void Run(ServerProcess process, IReadOnlyDictionary<string, string>? more = null)
    {
        lock (_managing)
        {
            process.Start(more);
            _managed.Add(process);
        }
    }

    /// <summary>To be called before it is ended on purpose.</summary>
    public void Release(ServerProcess process)
    {
        lock (_managing) _managed.Remove(process);
    }

    public Task KillAsync(ServerProcess process)
    {
        Release(process);
        return process.KillAsync();
    }

    public Task LeaveAsync(ServerProcess process, CancellationToken cancellationToken)
    {
        Release(process);
        return process.LeaveAsync(cancellationToken);
    }

    /// <summary>Two pipelines and the API run and are ready, others have left.</summary>
    public async Task HealAsync(CancellationToken cancellationToken)
    {
        foreach (var extra in Pipelines.Skip(2)) await LeaveAsync(extra, cancellationToken);
        ServerProcess[] needed = [Pipelines[0], Pipelines[1], Gateway];
        foreach (var process in needed)
            if (!process.IsRunning && !process.EndedByItself) Run(process);
        foreach (var process in needed) await ReadyDespiteEndsAsync(process, cancellationToken);
    }

    /// <returns>Null where the ledger is sound, else what <c>promotions verify</c> said.</returns>
    public async Task<string?> VerifyAsync(CancellationToken cancellationToken)
    {
        var (code, output) = await Shell.TryAsync("dotnet", [ServerProcess.Program, "verify", "--postgres", Postgres.Owner], null, cancellationToken);
        return code == 0 ? null : output;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _supervising;
        await Gateway.DisposeAsync();
        foreach (var pipeline in Pipelines) await pipeline.DisposeAsync();
        await EndServersAsync(_folder, Kafka, Postgres);
        _stop.Dispose();
    }

    private static string PipelineName(int number) => string.Create(CultureInfo.InvariantCulture, $"pipeline-{number}");

    private static async Task EndServersAsync(string folder, KafkaCluster? kafka, Postgres? postgres)
    {
        if (kafka is not null) await kafka.DisposeAsync();
        if (postgres is not null) await postgres.KillAsync(CancellationToken.None);
        Directory.Delete(folder, recursive: true);
    }

    private ServerProcess Process(string name, string roles, string logs) => new(name, Path.Combine(_folder, name), Path.Combine(logs, name + ".log"), new Dictionary<string, string>
    {
        ["PROMOTIONS_ROLES"] = roles,
        ["PROMOTIONS_KAFKA_BOOTSTRAP"] = Kafka.Bootstrap,
        ["PROMOTIONS_KAFKA_PARTITIONS"] = "4",
        ["PROMOTIONS_POSTGRES"] = Postgres.ConnectionOf(name.Replace('-', '_')),
    });

    private static async Task ReadyDespiteEndsAsync(ServerProcess process, CancellationToken cancellationToken)
    {
        for (var left = 5; ; left--)
        {
            try
            {
                await process.ReadyAsync(cancellationToken);
                return;
            }
            catch (InvalidOperationException) when (left > 0 && process.EndedByItself)
            {
                await Task.Delay(2 * SuperviseEvery, cancellationToken);       // the supervisor starts it again
            }
        }
    }

    private async Task SuperviseAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            lock (_managing)
            {
                foreach (var process in _managed.Where(process => process.EndedByItself))
                {
                    process.Start();
                    Interlocked.Increment(ref _startedAgain);
                }
            }

            await Task.Delay(SuperviseEvery, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
