using System.Globalization;
using Xunit;

namespace Promotions.Kafka.Cluster;

/// <summary>One server for all tests of an assembly: <c>[assembly: AssemblyFixture(typeof(KafkaServer))]</c>. Tests that kill servers start their own <see cref="KafkaCluster"/>.</summary>
public sealed class KafkaServer : IAsyncLifetime
{
    private static int s_names;

    public KafkaCluster Cluster { get; private set; } = null!;
    public string Bootstrap => Cluster.Bootstrap;

    /// <summary>Records keep whatever their event time, and a member that is killed is missed within a second or two where it asks for that.</summary>
    public async ValueTask InitializeAsync() => Cluster = await KafkaCluster.StartAsync(1, "log.retention.ms=-1", "group.min.session.timeout.ms=500").ConfigureAwait(false);

    /// <summary>A prefix that no other test of the assembly has: for topics, groups and transactional ids.</summary>
    public static string NewName(string what) => string.Create(CultureInfo.InvariantCulture, $"{what}{Interlocked.Increment(ref s_names)}-");

    public ValueTask DisposeAsync() => Cluster is null ? ValueTask.CompletedTask : Cluster.DisposeAsync();
}
