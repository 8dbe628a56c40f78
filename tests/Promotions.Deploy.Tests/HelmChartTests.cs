using Promotions.Server.Tests;
using YamlDotNet.RepresentationModel;

namespace Promotions.Deploy.Tests;

/// <summary>The chart as Helm renders it, for the values files in its folder <c>ci</c>.</summary>
public class HelmChartTests
{
    private static readonly string Chart = Path.Combine(Repository.Root, "deploy", "helm", "promotions");

    public static TheoryData<string> ValuesFiles => [.. Directory.GetFiles(Path.Combine(Chart, "ci"), "*.yaml").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(ValuesFiles))]
    public async Task The_chart_is_clean_and_every_pod_is_careful(string values)
    {
        (await Tool.RunAsync([Tool.Helm, "lint", Chart, "--strict", "-f", Path.Combine(Chart, "ci", values)])).Expect(0);
        var all = await RenderAsync("-f", Path.Combine(Chart, "ci", values));
        Assert.Equal(["admin", "api", "pipeline", "sinks"], Workloads(all).Select(w => w.Text("spec/template/spec/containers/0/name")!).Order(StringComparer.Ordinal));
        Assert.Equal(all.Count, all.Select(one => (one.Text("kind"), one.Text("metadata/name"))).Distinct().Count());
        foreach (var workload in Workloads(all))
        {
            var pod = workload.At("spec/template/spec")!;
            Assert.Equal("true", pod.Text("securityContext/runAsNonRoot"));
            Assert.Equal("false", pod.Text("automountServiceAccountToken"));
            Assert.Equal("false", pod.Text("enableServiceLinks"));      // else a service named promotions sets PROMOTIONS_PORT
            Assert.True(int.Parse(pod.Text("terminationGracePeriodSeconds")!, System.Globalization.CultureInfo.InvariantCulture) >= 30);
            var container = pod.At("containers/0")!;
            Assert.Equal("true", container.Text("securityContext/readOnlyRootFilesystem"));
            Assert.Equal("false", container.Text("securityContext/allowPrivilegeEscalation"));
            Assert.Equal("ALL", container.Text("securityContext/capabilities/drop/0"));
            Assert.Equal("/healthz", container.Text("livenessProbe/httpGet/path"));
            Assert.Equal("/healthz", container.Text("startupProbe/httpGet/path"));
            Assert.Equal("/readyz", container.Text("readinessProbe/httpGet/path"));
            Assert.NotNull(container.At("resources/limits/memory"));
            Assert.NotNull(container.At("resources/requests/cpu"));

            // Selectors find their own pods, mounts their volumes, names are said once.
            var labels = workload.Map("spec/template/metadata/labels");
            Assert.All(workload.Map("spec/selector/matchLabels"), one => Assert.Equal(one.Value, labels[one.Key]));
            var volumes = pod.Items("volumes").Select(v => v.Text("name")).Concat(workload.Items("spec/volumeClaimTemplates").Select(v => v.Text("metadata/name"))).ToList();
            Assert.All(container.Items("volumeMounts"), mount => Assert.Contains(mount.Text("name"), volumes));
            Assert.Equal(volumes.Count, volumes.Distinct().Count());
            var environment = container.Items("env").Select(e => e.Text("name")).ToList();
            Assert.Equal(environment.Count, environment.Distinct().Count());
            Assert.All(container.Items("env").Where(e => e.Text("name") is "PROMOTIONS_POSTGRES" or "PROMOTIONS_CLICKHOUSE" or "PROMOTIONS_KAFKA_SASL_USERNAME" or "PROMOTIONS_KAFKA_SASL_PASSWORD"),
                secret => Assert.NotNull(secret.At("valueFrom/secretKeyRef/name")));
        }

        foreach (var service in all.Where(one => one.Text("kind") is "Service" or "PodDisruptionBudget" or "NetworkPolicy"))
        {
            var selector = service.Map(service.Text("kind") switch { "Service" => "spec/selector", "NetworkPolicy" => "spec/podSelector/matchLabels", _ => "spec/selector/matchLabels" });
            Assert.Single(Workloads(all), w => selector.Count > 0 && selector.All(one => w.Map("spec/template/metadata/labels").TryGetValue(one.Key, out var value) && value == one.Value));
        }
    }

    [Fact]
    public async Task The_pipeline_keeps_its_state_and_its_name()
    {
        var all = await RenderAsync();
        var pipeline = all.Single(one => one.Text("kind") == "StatefulSet");
        Assert.Equal("metadata.name", Environment(pipeline)["PROMOTIONS_KAFKA_INSTANCE_ID"].Text("valueFrom/fieldRef/fieldPath"));
        Assert.Equal("data", pipeline.Text("spec/volumeClaimTemplates/0/metadata/name"));
        Assert.Contains(all, one => one.Text("kind") == "Service" && one.Text("metadata/name") == pipeline.Text("spec/serviceName") && one.Text("spec/clusterIP") == "None");
        Assert.Equal("1", all.Single(one => one.Text("kind") == "PodDisruptionBudget" && one.Text("metadata/name") == pipeline.Text("metadata/name")).Text("spec/maxUnavailable"));
        Assert.DoesNotContain(Workloads(all).Where(w => w != pipeline), w => Environment(w).ContainsKey("PROMOTIONS_KAFKA_INSTANCE_ID"));
        Assert.All(Workloads(all), w => Assert.Equal(w.Text("spec/template/spec/containers/0/name"), Environment(w)["PROMOTIONS_ROLES"].Text("value")));
    }

    [Fact]
    public async Task Secure_values_reach_the_client()
    {
        var all = await RenderAsync("-f", Path.Combine(Chart, "ci", "secure.yaml"));
        foreach (var workload in Workloads(all))
        {
            var environment = Environment(workload);
            Assert.Equal("SASL_SSL", environment["PROMOTIONS_KAFKA_SECURITY_PROTOCOL"].Text("value"));
            Assert.Equal("SCRAM-SHA-512", environment["PROMOTIONS_KAFKA_SASL_MECHANISM"].Text("value"));
            Assert.Equal("https", environment["PROMOTIONS_KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM"].Text("value"));
            Assert.Equal("eu.", environment["PROMOTIONS_KAFKA_PREFIX"].Text("value"));
            var isPipeline = workload.Text("kind") == "StatefulSet";
            Assert.Equal(isPipeline ? "kafka-pipeline" : "kafka-user", environment["PROMOTIONS_KAFKA_SASL_PASSWORD"].Text("valueFrom/secretKeyRef/name"));
            Assert.Equal(isPipeline ? "db-pipeline" : "db", environment["PROMOTIONS_POSTGRES"].Text("valueFrom/secretKeyRef/name"));
            var pod = workload.At("spec/template/spec")!;
            foreach (var (name, file) in (ReadOnlySpan<(string, string)>)[("SSL_CA", "kafka-ca"), ("SSL_CERTIFICATE", "kafka-client"), ("SSL_KEY", "kafka-client")])
            {
                var location = environment[$"PROMOTIONS_KAFKA_{name}_LOCATION"].Text("value")!;
                var mount = pod.Items("containers/0/volumeMounts").Single(m => location.StartsWith(m.Text("mountPath") + "/", StringComparison.Ordinal));
                Assert.Equal(file, pod.Items("volumes").Single(v => v.Text("name") == mount.Text("name")).Text("secret/secretName"));
            }
        }
        Assert.Equal("registry.example.com/promotions:1.2.3", Workloads(all)[0].Text("spec/template/spec/containers/0/image"));
        Assert.Equal("prometheus", all.Single(one => one.Text("kind") == "ServiceMonitor").Map("metadata/labels")["release"]);
        Assert.Equal("checkout", all.Single(one => one.Text("kind") == "NetworkPolicy" && one.Text("metadata/name") == "promotions-api").Text("spec/ingress/0/from/0/podSelector/matchLabels/app"));
    }

    [Fact]
    public async Task The_owner_migrates_before_anything_of_a_new_version_starts_where_a_secret_is_named()
    {
        Assert.DoesNotContain(await RenderAsync(), one => one.Text("kind") == "Job");
        var job = (await RenderAsync("-f", Path.Combine(Chart, "ci", "secure.yaml"))).Single(one => one.Text("kind") == "Job");
        Assert.Equal("pre-install,pre-upgrade", job.Map("metadata/annotations")["helm.sh/hook"]);
        var pod = job.At("spec/template/spec")!;
        Assert.Equal(("true", "false", "Never"), (pod.Text("securityContext/runAsNonRoot"), pod.Text("automountServiceAccountToken"), pod.Text("restartPolicy")));
        Assert.Equal(("migrate", "--grant"), (pod.Text("containers/0/args/0"), pod.Text("containers/0/args/1")));
        Assert.Equal("true", pod.Text("containers/0/securityContext/readOnlyRootFilesystem"));
        Assert.Equal(("db-owner", "url"), (pod.Text("containers/0/env/0/valueFrom/secretKeyRef/name"), pod.Text("containers/0/env/0/valueFrom/secretKeyRef/key")));
        Assert.Equal("db-ca", pod.Items("volumes").Single(v => v.Text("name") == "postgres-ca").Text("secret/secretName"));
    }

    [Theory]
    [InlineData("kafka.bootstrap=kafka", "bootstrap")]
    [InlineData("kafka.securityProtocol=SASL_SSL", "existingSecret")]
    [InlineData("kafka.securityProtocol=TLS", "securityProtocol")]
    [InlineData("kafka.tls.caSecret=x", "kafka.tls")]
    [InlineData("postgres.existingSecret=", "existingSecret")]
    [InlineData("kafka.bootstap=kafka:9092", "bootstap")]
    [InlineData("pipeline.threads=0", "threads")]
    [InlineData("kafka.settings.linger=5", "linger")]
    public async Task Values_that_cannot_work_are_refused(string value, string expected)
    {
        var ran = await Tool.RunAsync([Tool.Helm, "template", "promotions", Chart, "--set", value]);
        Assert.NotEqual(0, ran.Code);
        Assert.Contains(expected, ran.Errors, StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyList<YamlNode>> RenderAsync(params string[] options) =>
        Yaml.Documents((await Tool.RunAsync([Tool.Helm, "template", "promotions", Chart, .. options])).Expect(0));

    private static List<YamlNode> Workloads(IReadOnlyList<YamlNode> all) => [.. all.Where(one => one.Text("kind") is "Deployment" or "StatefulSet")];

    private static Dictionary<string, YamlNode> Environment(YamlNode workload) => workload.Items("spec/template/spec/containers/0/env").ToDictionary(e => e.Text("name")!);
}
