using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Promotions.Api.Observing;
using Promotions.Contracts;
using Promotions.Server.Metrics;
using Promotions.Server.Tests;
using Promotions.Streams;
using Promotions.Streams.Embedded;
using Promotions.Streams.Kafka.Status;

namespace Promotions.Deploy.Tests;

/// <summary>Boards and alerts ask for what the system exports: every name and every label.</summary>
public sealed partial class MonitoringTests : IAsyncLifetime
{
    private static readonly string Deploy = Path.Combine(Repository.Root, "deploy");

    /// <summary>Put on by Prometheus, or by the scrape's configuration.</summary>
    private static readonly string[] Scraped = ["job", "instance"];

    private readonly Exposition _server = new();
    private readonly Exposition _all = new();

    public async ValueTask InitializeAsync()
    {
        await using (var server = await RunningServer.StartAsync())
        {
            await server.SendAsync(HttpMethod.Post, "/v1/redemptions", """
                {"id": "r-1", "channel": "web-de", "customer": {"id": "c-1"},
                 "order": {"id": "o-1", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 1, "unit_price": {"amount": 1500, "currency": "EUR"}}]}}
                """);
            var text = await server.Client.GetStringAsync("/metrics");
            _server.Add(text);
            _all.Add(text);
        }

        // What only faults, followers and the Kafka set bring, each made to happen once.
        var api = new ApiMetrics();
        api.Add(new Follower());
        ((IDriverObserver)api).Faulted("commit", new InvalidOperationException());
        var streams = new StreamsMetrics(api.Registry, () => new(
            "p-1", "host", 1, 1, 1, "running", null, [new(0, "redemption-requests", 3, "active", "running", 12, 1_000), new(1, "other", 0, "standby", "restoring", 0, null, 500, 100)]));
        streams.Processed(0, 1);
        streams.Restored(1);
        streams.DeadLettered();
        streams.PartLate("device");
        streams.Committed(TimeSpan.FromMilliseconds(3));
        streams.OutcomeCounted(TimeSpan.FromMilliseconds(3));
        var ledger = new LedgerMetrics(api.Registry);
        ledger.Ask(() => new(null, null, null, 3, 0.2));
        ledger.Committed(TimeSpan.FromMilliseconds(3), 1);
        ledger.Retried("deadlock");
        using var stream = new MemoryStream();
        await api.Registry.CollectAndExportAsTextAsync(stream);
        _all.Add(Encoding.UTF8.GetString(stream.ToArray()));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public void Every_number_of_a_board_is_exported()
    {
        var boards = Directory.GetFiles(Path.Combine(Deploy, "grafana"), "*.json");
        Assert.Equal(3, boards.Length);
        var uids = new HashSet<string>();
        foreach (var file in boards)
        {
            var board = JsonNode.Parse(File.ReadAllText(file))!;
            Assert.True(uids.Add((string)board["uid"]!));
            var panels = board["panels"]!.AsArray().Select(panel => panel!).ToList();
            Assert.Equal(panels.Count, panels.Select(panel => (int)panel["id"]!).Distinct().Count());
            Assert.Empty(Overlaps(panels));
            foreach (var panel in panels.Where(panel => (string)panel["type"]! != "row"))
            {
                Assert.NotEmpty(panel["targets"]!.AsArray());
                foreach (var target in panel["targets"]!.AsArray()) Check((string)target!["expr"]!, $"{Path.GetFileName(file)}, {panel["title"]}", mayBeOther: false);
            }
        }
    }

    [Fact]
    public void Every_number_of_an_alert_is_exported_and_every_alert_says_what_to_do()
    {
        var rules = Yaml.Documents(File.ReadAllText(Path.Combine(Deploy, "prometheus", "alerts.yaml"))).Single().Items("groups").SelectMany(group => group.Items("rules")).ToList();
        Assert.Equal(rules.Count, rules.Select(rule => rule.Text("alert")).Distinct().Count());
        foreach (var rule in rules)
        {
            var name = rule.Text("alert")!;
            Check(rule.Text("expr")!, name, mayBeOther: name == "PromotionsProcessGone");
            Assert.True(rule.Text("labels/severity") is "page" or "ticket", name);
            foreach (var sentence in (string[])["summary", "description", "runbook"]) Assert.EndsWith(".", rule.Text("annotations/" + sentence)!, StringComparison.Ordinal);
            Assert.True(rule.Text("annotations/runbook")!.Length > 60, name);
            // A summary may use only labels that the expression leaves.
            foreach (Match used in TemplateLabel().Matches(rule.Text("annotations/summary")! + rule.Text("annotations/runbook")!))
                Assert.True(used.Groups[1].Value is "instance" || Grouping().Matches(rule.Text("expr")!).Any(by => by.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries).Contains(used.Groups[1].Value)), $"{name} uses {used.Value}");
        }
        Assert.True(rules.Count >= 15);
    }

    [Fact]
    public void Everything_of_ours_that_is_exported_is_on_a_board()
    {
        var shown = string.Join('\n', Directory.GetFiles(Path.Combine(Deploy, "grafana"), "*.json").Select(File.ReadAllText));
        Assert.DoesNotContain(_all.Names.Where(name => name.StartsWith("promotions_", StringComparison.Ordinal)).Select(Base).Distinct(), name => !shown.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public void A_running_server_exports_the_numbers_of_decisions()
    {
        foreach (var name in (string[])["promotions_decisions_total", "promotions_stage_seconds_bucket", "promotions_http_request_seconds_bucket", "promotions_http_answers_total", "promotions_fraud_policy_version",
            "promotions_gc_paused_seconds_total", "promotions_replay_remaining_positions", "dotnet_collection_count_total", "process_working_set_bytes"])
            Assert.Contains(name, _server.Names);
    }

    [Fact]
    public void A_task_that_went_elsewhere_takes_its_series_with_it()
    {
        MemberStatus? status = new("p-1", "host", 1, 1, 1, "running", null, [new(0, "redemption-requests", 3, "active", "restoring", 12, 1_000, 7, null)]);
        var registry = Prometheus.Metrics.NewCustomRegistry();
        _ = new StreamsMetrics(registry, () => status);
        Assert.Contains("promotions_streams_lag_records{topic=\"redemption-requests\",partition=\"3\"} 12", Export(), StringComparison.Ordinal);
        Assert.Contains("promotions_streams_restore_remaining_records 7", Export(), StringComparison.Ordinal);
        status = status with { Tasks = [] };
        var without = Export();
        Assert.DoesNotContain("promotions_streams_lag_records{", without, StringComparison.Ordinal);
        Assert.DoesNotContain("promotions_streams_tasks{", without, StringComparison.Ordinal);
        Assert.Contains("promotions_streams_restore_remaining_records 0", without, StringComparison.Ordinal);

        string Export()
        {
            using var stream = new MemoryStream();
            registry.CollectAndExportAsTextAsync(stream).GetAwaiter().GetResult();
            return Encoding.UTF8.GetString(stream.ToArray());
        }
    }

    private void Check(string expression, string where, bool mayBeOther)
    {
        var found = 0;
        var known = new HashSet<string>(Scraped) { "le" };
        foreach (Match metric in Metric().Matches(expression))
        {
            found++;
            var name = metric.Groups["name"].Value;
            var labels = _all.LabelsOf(name);
            Assert.True(labels is not null, $"{where}: nothing exports {name}");
            known.UnionWith(labels);
            foreach (Match matcher in Matcher().Matches(metric.Groups["matchers"].Value))
                Assert.True(labels.Contains(matcher.Groups[1].Value) || Scraped.Contains(matcher.Groups[1].Value), $"{where}: {name} has no label {matcher.Groups[1].Value}");
        }
        Assert.True(found > 0 || mayBeOther, $"{where}: {expression} asks for nothing of ours");
        foreach (Match grouping in Grouping().Matches(expression))
            foreach (var label in grouping.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries)) Assert.True(known.Contains(label), $"{where}: nothing has the label {label}");
    }

    private static IEnumerable<(JsonNode, JsonNode)> Overlaps(List<JsonNode> panels)
    {
        for (var i = 0; i < panels.Count; i++)
            for (var j = 0; j < i; j++)
            {
                var (a, b) = (panels[i]["gridPos"]!, panels[j]["gridPos"]!);
                if ((int)a["x"]! < (int)b["x"]! + (int)b["w"]! && (int)b["x"]! < (int)a["x"]! + (int)a["w"]! && (int)a["y"]! < (int)b["y"]! + (int)b["h"]! && (int)b["y"]! < (int)a["y"]! + (int)a["h"]!) yield return (panels[i], panels[j]);
            }
    }

    private static string Base(string name) => Suffix().Replace(name, "");

    [GeneratedRegex("""(?<![a-z_])(?<name>(?:promotions|dotnet|process)_[a-z0-9_]+)(?:\{(?<matchers>[^}]*)\})?""")]
    private static partial Regex Metric();

    [GeneratedRegex("""([a-z_]+)\s*(?:=~|!~|!=|=)""")]
    private static partial Regex Matcher();

    [GeneratedRegex("""by \(([^)]*)\)""")]
    private static partial Regex Grouping();

    [GeneratedRegex("""\$labels\.([a-z_]+)""")]
    private static partial Regex TemplateLabel();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();

    private sealed class Follower : IFollowerLag
    {
        public string Name => "clickhouse";
        public long PositionsBehind => 4;
    }
}
