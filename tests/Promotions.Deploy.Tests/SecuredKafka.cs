using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Promotions.Server.Tests;

namespace Promotions.Deploy.Tests;

/// <summary>A real broker with the standard authorizer, whose clients sign in by SASL/PLAIN, and on which what deploy/kafka/acls prints was run.</summary>
public sealed class SecuredKafka : IAsyncLifetime
{
    public const string Group = "promotions";
    public static readonly string[] Roles = ["pipeline", "api", "admin", "sinks", "checkout"];

    private static readonly string Script = Path.Combine(Repository.Root, "deploy", "lib", "kafka");
    private readonly string _folder = Directory.CreateTempSubdirectory("promotions-acls-").FullName;
    private string _inside = "";
    private string _outside = "";

    public static IReadOnlyList<string> Inputs { get; } = ["redemption-requests", "orders", "engagements", "returns", "captures", "voids", "labels"];
    public static IReadOnlyList<string> Outputs { get; } = ["redemption-decisions", "balance-changes", "dead-letters"];
    public static IReadOnlyList<string> Internal { get; } = ["promotions-entities-repartition", "promotions-features-changelog", "promotions-replies", "promotions-members"];
    public static IReadOnlyList<string> Others { get; } = ["promotion", "payments", "orders-archive"];
    public static IEnumerable<string> Topics => [.. Inputs, .. Outputs, .. Internal, .. Others];

    public async ValueTask InitializeAsync()
    {
        var port = FreePorts(3);
        var users = string.Join(' ', Roles.Append("stranger").Select(role => $"user_promotions-{role}=\"{role}-secret\""));
        string[] settings =
        [
            $"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1},CLIENT://127.0.0.1:{port + 2}",
            $"advertised.listeners=PLAINTEXT://127.0.0.1:{port},CLIENT://127.0.0.1:{port + 2}",
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENT:SASL_PLAINTEXT",
            "inter.broker.listener.name=PLAINTEXT",
            "sasl.enabled.mechanisms=PLAIN",
            $"listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {users};",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS",          // the broker itself and this fixture, by the listener inside
        ];
        (await Tool.RunAsync([Script, "start", _folder, "--port", port.ToString(CultureInfo.InvariantCulture), .. settings.SelectMany(one => (string[])["--set", one])], secondsMax: 150)).Expect(0);
        (_inside, _outside) = ($"127.0.0.1:{port}", $"127.0.0.1:{port + 2}");

        using var owner = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = _inside }).Build();
        await owner.CreateTopicsAsync(Topics.Select(topic => new TopicSpecification { Name = topic, NumPartitions = 1, ReplicationFactor = 1 }));
        await RunAclsAsync();
    }

    /// <summary>As a client of this role, which has not read the ACLs.</summary>
    public T Configure<T>(T config, string role) where T : ClientConfig
    {
        config.BootstrapServers = _outside;
        config.SecurityProtocol = SecurityProtocol.SaslPlaintext;
        config.SaslMechanism = SaslMechanism.Plain;
        (config.SaslUsername, config.SaslPassword) = ("promotions-" + role, role + "-secret");
        return config;
    }

    public IAdminClient Admin(string role) => new AdminClientBuilder(Configure(new AdminClientConfig(), role)).Build();

    public async ValueTask DisposeAsync() => (await Tool.RunAsync([Script, "destroy", _folder])).Expect(0);

    /// <summary>The lines themselves, with Kafka's own program in place of the distribution's start script, which not every distribution here has.</summary>
    private async Task RunAclsAsync()
    {
        var home = (await Tool.RunAsync([Script, "find"])).Expect(0).Trim();
        var command = Path.Combine(_folder, "kafka-acls.sh");
        await File.WriteAllTextAsync(command, $"#!/bin/sh\nexec java -Xmx96m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp '{home}/libs/*' org.apache.kafka.tools.AclCommand \"$@\"\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(command, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var lines = (await Tool.RunAsync([Path.Combine(Repository.Root, "deploy", "kafka", "acls"), "--bootstrap", _inside, "--group", Group])).Expect(0);
        var file = Path.Combine(_folder, "lines");
        await File.WriteAllTextAsync(file, "set -e\n" + lines);
        (await Tool.RunAsync(["sh", file], new Dictionary<string, string> { ["PATH"] = _folder + ":" + Environment.GetEnvironmentVariable("PATH") }, secondsMax: 150)).Expect(0);
    }

    private static int FreePorts(int count)
    {
        for (var first = 24_000; first < 32_000; first += count)
            if (Enumerable.Range(first, count).All(IsFree)) return first;
        throw new InvalidOperationException("There are no free ports.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
