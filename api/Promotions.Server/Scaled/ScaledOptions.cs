using System.Collections;
using System.Globalization;
using Confluent.Kafka;
using Promotions.Analytics;

namespace Promotions.Server.Scaled;

/// <summary>What a process of the scaled set does.</summary>
[Flags]
internal enum ServerRoles
{
    None = 0,

    /// <summary>The HTTP API.</summary>
    Api = 1,

    /// <summary>The topologies: features, price, model, decision.</summary>
    Pipeline = 2,

    /// <summary>Followers of the ledger: ClickHouse, expiry. One instance works at a time, others wait for its lease.</summary>
    Sinks = 4,

    /// <summary>The dashboard.</summary>
    Admin = 8,

    All = Api | Pipeline | Sinks | Admin,
}

/// <summary>Kafka, PostgreSQL and ClickHouse servers instead of the embedded parts.</summary>
/// <param name="Bootstrap">Kafka's addresses, <c>host:port</c> with commas between.</param>
/// <param name="Postgres">Npgsql's connection string, database named.</param>
/// <param name="ClickHouse">Null: the sinks' process runs the embedded engine, or there are no analytics.</param>
/// <param name="CheckpointKeyPath">The key that signs the audit tree's checkpoints, the same for every process; null: this process sequences and does not sign.</param>
/// <param name="Group">Consumer group, and the start of internal topics' names.</param>
/// <param name="Prefix">Before every topic's name.</param>
/// <param name="Client">Further settings of the Kafka client, in librdkafka's names: <c>security.protocol</c>, <c>sasl.username</c> ...</param>
/// <param name="InstanceId">Static membership of a pipeline process; null: dynamic.</param>
/// <param name="Threads">Of a pipeline process. Range: 1 to 64. Default 2.</param>
/// <param name="Standbys">Copies of each task's state kept ready in other processes. Range: 0 to 3. Default 1.</param>
/// <param name="Partitions">Of topics that this system makes. Range: 1 to 1,000. Default 8. Fixed once they are there.</param>
/// <param name="LingerMs">How long a record on a request's way waits for others to share a request to the brokers with. Range: 0 to 100. Default 1: for latency. Where brokers are short of processor time, more is faster.</param>
/// <param name="FetchWaitMs">How long brokers wait for more records before they answer a pipeline's fetch. Range: 0 to 100. Default 0: at once. Where brokers are short of processor time, more is faster.</param>
/// <param name="SessionTimeoutMs">After so long without a sign of life a pipeline's partitions go to others. Range: 1,000 to 300,000; the brokers' <c>group.min.session.timeout.ms</c> is the floor. Default 6,000.</param>
/// <param name="HeartbeatMs">Between two signs of life. Range: 50 to 100,000, at most a third of the session. Default 500.</param>
/// <param name="CreateTopics">Topics that are missing are made at start. False: the start is refused with the plan, for an operator. Default true.</param>
internal sealed record ScaledOptions(
    ServerRoles Roles, string Bootstrap, string Postgres, AnalyticsAddress? ClickHouse, string? CheckpointKeyPath, string Group, string Prefix, IReadOnlyDictionary<string, string> Client,
    string? InstanceId, int Threads, int Standbys, int Partitions, int LingerMs, int FetchWaitMs, int SessionTimeoutMs, int HeartbeatMs, bool CreateTopics)
{
    private const string ClientPrefix = "PROMOTIONS_KAFKA_";
    private static readonly string[] ConnectionSettings = ["security.", "sasl.", "ssl."];
    internal static readonly string[] OwnNames = ["BOOTSTRAP", "GROUP", "PREFIX", "INSTANCE_ID", "PARTITIONS", "LINGER_MS", "FETCH_WAIT_MS", "SESSION_TIMEOUT_MS", "HEARTBEAT_INTERVAL_MS", "CREATE_TOPICS", "PEER"];

    /// <summary>What every client of the brokers is given.</summary>
    public Dictionary<string, string> ClientWithBootstrap() => new(Client) { ["bootstrap.servers"] = Bootstrap };

    /// <summary>From the command line, or else the environment. Null where neither names a broker nor a database: then everything is embedded.</summary>
    /// <exception cref="StartRefusedException">Half of it is missing, or a value is none.</exception>
    public static ScaledOptions? From(string? roles, string? bootstrap, string? postgres, string? clickHouse)
    {
        roles ??= Text("PROMOTIONS_ROLES");
        bootstrap ??= Text("PROMOTIONS_KAFKA_BOOTSTRAP");
        postgres ??= Text("PROMOTIONS_POSTGRES");
        clickHouse ??= Text("PROMOTIONS_CLICKHOUSE");
        if (bootstrap is null && postgres is null)
        {
            if (roles is not null) throw new StartRefusedException("Roles are for the scaled set: name Kafka (--bootstrap) and PostgreSQL (--postgres), or leave --roles out to run everything embedded.");
            if (clickHouse is not null) throw new StartRefusedException("A ClickHouse server is used by the scaled set: name Kafka (--bootstrap) and PostgreSQL (--postgres) too, or leave --clickhouse out.");
            return null;
        }

        if (bootstrap is null) throw new StartRefusedException("PostgreSQL is the scaled set's ledger, whose log is Kafka: name its servers with --bootstrap (or PROMOTIONS_KAFKA_BOOTSTRAP).");
        if (postgres is null) throw new StartRefusedException("Over Kafka the ledger is PostgreSQL: name the database with --postgres (or PROMOTIONS_POSTGRES).");
        return new(
            ParseRoles(roles), bootstrap, postgres, clickHouse is null ? null : ParseClickHouse(clickHouse), Text("PROMOTIONS_CHECKPOINT_KEY"),
            Text("PROMOTIONS_KAFKA_GROUP") ?? "promotions", Text("PROMOTIONS_KAFKA_PREFIX") ?? "", ClientSettings(),
            Text("PROMOTIONS_KAFKA_INSTANCE_ID"), Number("PROMOTIONS_PIPELINE_THREADS", 2, 1, 64), Number("PROMOTIONS_STANDBYS", 1, 0, 3), Number("PROMOTIONS_KAFKA_PARTITIONS", 8, 1, 1_000),
            Number("PROMOTIONS_KAFKA_LINGER_MS", 1, 0, 100), Number("PROMOTIONS_KAFKA_FETCH_WAIT_MS", 0, 0, 100), Number("PROMOTIONS_KAFKA_SESSION_TIMEOUT_MS", 6_000, 1_000, 300_000), Number("PROMOTIONS_KAFKA_HEARTBEAT_INTERVAL_MS", 500, 50, 100_000),
            Text("PROMOTIONS_KAFKA_CREATE_TOPICS") is not ("false" or "0"));
    }

    /// <summary>Has the client library look at its settings before anything starts.</summary>
    /// <exception cref="StartRefusedException">It does not know one of them, or not its value; or one is about more than the connection.</exception>
    public void CheckClient()
    {
        if (HeartbeatMs > SessionTimeoutMs / 3)
            throw new StartRefusedException(string.Create(CultureInfo.InvariantCulture, $"PROMOTIONS_KAFKA_HEARTBEAT_INTERVAL_MS is {HeartbeatMs}: at most a third of PROMOTIONS_KAFKA_SESSION_TIMEOUT_MS, which is {SessionTimeoutMs}."));
        foreach (var (name, _) in Client)
            if (!ConnectionSettings.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
                throw new StartRefusedException($"{ClientPrefix}{name.ToUpperInvariant().Replace('.', '_')} is none of ours, and '{name}' is no setting of the Kafka client that is passed on: those start with security., sasl. or ssl.");
        try
        {
            using var client = new AdminClientBuilder(ClientWithBootstrap()).SetLogHandler(static (_, _) => { }).Build();
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException or KafkaException)
        {
            throw new StartRefusedException(
                $"A setting of the Kafka client is refused: {fault.Message} In the environment PROMOTIONS_KAFKA_SASL_USERNAME is librdkafka's sasl.username.", fault);
        }
    }

    private static ServerRoles ParseRoles(string? text)
    {
        if (text is null) return ServerRoles.All;
        var roles = ServerRoles.None;
        foreach (var name in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            roles |= name switch
            {
                "api" => ServerRoles.Api,
                "pipeline" => ServerRoles.Pipeline,
                "sinks" => ServerRoles.Sinks,
                "admin" => ServerRoles.Admin,
                "all" => ServerRoles.All,
                _ => throw new StartRefusedException($"There is no role '{name}': roles are api, pipeline, sinks, admin (or all)."),
            };
        }

        return roles is ServerRoles.None ? throw new StartRefusedException("No role is named: roles are api, pipeline, sinks, admin (or all).") : roles;
    }

    /// <summary><c>http://user:password@host:8123/database</c>; the database is <c>promotions</c> where none is named.</summary>
    private static AnalyticsAddress ParseClickHouse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new StartRefusedException("ClickHouse's address is http://user:password@host:8123/database, of its HTTP interface.");      // the text may hold a password
        var user = uri.UserInfo.Split(':', 2);
        return new(
            uri.Host, uri.Port, user[0].Length == 0 ? "default" : Uri.UnescapeDataString(user[0]), user.Length < 2 ? "" : Uri.UnescapeDataString(user[1]),
            uri.AbsolutePath.Trim('/') is { Length: > 0 } database ? database : "promotions", uri.Scheme);
    }

    /// <summary><c>PROMOTIONS_KAFKA_SECURITY_PROTOCOL</c> is librdkafka's <c>security.protocol</c>.</summary>
    private static Dictionary<string, string> ClientSettings()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable.Key is not string name || !name.StartsWith(ClientPrefix, StringComparison.Ordinal) || variable.Value is not string { Length: > 0 } value) continue;
            var own = name[ClientPrefix.Length..];
            if (!OwnNames.Contains(own)) settings.Add(own.ToLowerInvariant().Replace('_', '.'), value);
        }

        return settings;
    }

    private static string? Text(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? text : null;

    private static int Number(string name, int otherwise, int min, int max) => Text(name) is not { } text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max ? number
        : throw new StartRefusedException(string.Create(CultureInfo.InvariantCulture, $"{name} must be from {min} to {max}, not '{text}'."));
}
