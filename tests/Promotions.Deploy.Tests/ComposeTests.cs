using Promotions.Server.Tests;
using YamlDotNet.RepresentationModel;

namespace Promotions.Deploy.Tests;

/// <summary>deploy/compose.yaml as Compose itself reads it. No daemon is asked.</summary>
public class ComposeTests
{
    private static readonly string Composed = Path.Combine(Repository.Root, "deploy", "compose.yaml");
    private static readonly Dictionary<string, string> Secrets = new()
    {
        ["PROMOTIONS_POSTGRES_PASSWORD"] = "owner-secret",
        ["PROMOTIONS_PIPELINE_PASSWORD"] = "pipeline-secret",
        ["PROMOTIONS_API_PASSWORD"] = "api-secret",
        ["PROMOTIONS_SINKS_PASSWORD"] = "sinks-secret",
        ["PROMOTIONS_CLICKHOUSE_PASSWORD"] = "ch-secret",
    };

    [Fact]
    public async Task The_scaled_set_is_whole()
    {
        var config = await ConfigAsync();
        Assert.Equal(["admin", "api", "clickhouse", "kafka", "migrate", "pipeline-1", "pipeline-2", "postgres", "roles", "sinks"], config.Names("services").Order(StringComparer.Ordinal));
        var (roles, instances) = (new List<string>(), new List<string>());
        foreach (var name in config.Names("services"))
        {
            if (name is "migrate" or "roles") continue;        // they end
            var service = config.At("services/" + name)!;
            Assert.True(service.At("healthcheck/test") is not null, $"{name} has no health check");
            Assert.True(service.At("mem_limit") is not null && service.At("cpus") is not null, $"{name} has no limits");
            Assert.True(service.Items("volumes").Any(), $"{name} keeps nothing");
            foreach (var port in service.Items("ports")) Assert.Equal("127.0.0.1", port is YamlScalarNode text ? text.Value!.Split(':')[0] : port.Text("host_ip"));
            if (name is "kafka" or "postgres" or "clickhouse") continue;

            Assert.Equal("true", service.Text("read_only"));
            Assert.Equal("ALL", service.Text("cap_drop/0"));
            Assert.Contains("/data", Mounts(service));
            Assert.Equal("kafka:9092", service.Text("environment/PROMOTIONS_KAFKA_BOOTSTRAP"));
            var role = service.Text("environment/PROMOTIONS_ROLES");
            var user = role == "admin" ? "api" : role;
            Assert.EndsWith($";Username={user};Password={user}-secret", service.Text("environment/PROMOTIONS_POSTGRES"), StringComparison.Ordinal);
            Assert.DoesNotContain(service.Map("environment"), one => one.Value.Contains("owner-secret", StringComparison.Ordinal));
            Assert.Equal("service_completed_successfully", service.Text("depends_on/roles/condition"));
            Assert.Contains(":ch-secret@clickhouse:8123", service.Text("environment/PROMOTIONS_CLICKHOUSE"), StringComparison.Ordinal);
            Assert.Equal("service_healthy", service.Text("depends_on/kafka/condition"));
            Assert.Equal("service_healthy", service.Text("depends_on/postgres/condition"));
            roles.Add(service.Text("environment/PROMOTIONS_ROLES")!);
            if (service.Text("environment/PROMOTIONS_KAFKA_INSTANCE_ID") is { } instance) instances.Add(instance);
        }
        Assert.Equal(["admin", "api", "pipeline", "pipeline", "sinks"], roles.Order(StringComparer.Ordinal));
        Assert.Equal(2, instances.Distinct().Count());
        var named = config.Names("volumes").ToHashSet();
        var used = config.Names("services").Where(name => name is not "roles").SelectMany(name => config.Items($"services/{name}/volumes").Select(v => v is YamlScalarNode text ? text.Value!.Split(':')[0] : v.Text("source")!)).ToList();
        Assert.Equal(used.Count, used.Distinct().Count());      // nobody shares a folder
        Assert.True(named.SetEquals(used));
    }

    [Fact]
    public async Task The_owner_makes_tables_then_rights_before_anybody_else_starts()
    {
        var config = await ConfigAsync();
        var (migrate, roles) = (config.At("services/migrate")!, config.At("services/roles")!);
        Assert.Equal("migrate", migrate.Text("command/0"));
        Assert.EndsWith(";Username=promotions;Password=owner-secret", migrate.Text("environment/PROMOTIONS_POSTGRES"), StringComparison.Ordinal);
        Assert.Equal("service_healthy", migrate.Text("depends_on/postgres/condition"));
        Assert.Equal("service_completed_successfully", roles.Text("depends_on/migrate/condition"));
        foreach (var file in (string[])["roles.sql", "users.sql"])
        {
            Assert.Contains("/" + file, Mounts(roles));
            Assert.True(File.Exists(Path.Combine(Repository.Root, "deploy", "postgres", file)));
        }
    }

    [Theory]
    [InlineData("PROMOTIONS_POSTGRES_PASSWORD")]
    [InlineData("PROMOTIONS_PIPELINE_PASSWORD")]
    [InlineData("PROMOTIONS_API_PASSWORD")]
    [InlineData("PROMOTIONS_SINKS_PASSWORD")]
    [InlineData("PROMOTIONS_CLICKHOUSE_PASSWORD")]
    public async Task Without_a_password_it_does_not_start(string missing)
    {
        var ran = await Tool.RunAsync([.. await Tool.ComposeAsync(), "-f", Composed, "config"], new Dictionary<string, string>(Secrets) { [missing] = "" });
        Assert.NotEqual(0, ran.Code);
        Assert.Contains("set it in deploy/.env", ran.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_may_come_from_a_file_in_the_image()
    {
        var folder = Directory.CreateTempSubdirectory("promotions-deploy-").FullName;
        try
        {
            // In place of dotnet: says what it was started with.
            var stand = Path.Combine(folder, "dotnet");
            await File.WriteAllTextAsync(stand, "#!/bin/sh\necho \"$1 $2 postgres=$PROMOTIONS_POSTGRES file=$PROMOTIONS_POSTGRES_FILE\"\n");
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(stand, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            await File.WriteAllTextAsync(Path.Combine(folder, "secret"), "Host=db;Password=a b'c\n");
            var path = folder + ":" + Environment.GetEnvironmentVariable("PATH");
            var run = Path.Combine(Repository.Root, "deploy", "docker", "run");
            var told = (await Tool.RunAsync([run, "serve"], new Dictionary<string, string> { ["PATH"] = path, ["PROMOTIONS_POSTGRES_FILE"] = Path.Combine(folder, "secret") })).Expect(0);
            Assert.Equal("/app/promotions.dll serve postgres=Host=db;Password=a b'c file=\n", told);
            var refused = await Tool.RunAsync([run, "serve"], new Dictionary<string, string> { ["PATH"] = path, ["PROMOTIONS_POSTGRES_FILE"] = Path.Combine(folder, "none") });
            Assert.Equal(2, refused.Code);
            Assert.Contains("PROMOTIONS_POSTGRES_FILE", refused.Errors, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<string> Mounts(YamlNode service) => service.Items("volumes").Select(v => v is YamlScalarNode text ? text.Value!.Split(':')[1] : v.Text("target")!);

    private static async Task<YamlNode> ConfigAsync() => Assert.Single(Yaml.Documents((await Tool.RunAsync([.. await Tool.ComposeAsync(), "-f", Composed, "config"], Secrets)).Expect(0)));
}
