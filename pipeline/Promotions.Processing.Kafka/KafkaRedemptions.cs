using System.Globalization;
using System.Text;
using Promotions.Ledger;
using Promotions.Processing.Kafka.Effects;
using Promotions.Processing.Kafka.Intake;
using Promotions.Processing.Topologies;
using Promotions.Streams;
using Promotions.Streams.Kafka;
using Promotions.Streams.Kafka.Commit;

namespace Promotions.Processing.Kafka;

/// <summary>The redemption topology under the Kafka driver, with a shared ledger behind it: one of any number of pipeline processes.</summary>
public sealed class KafkaRedemptions : IAsyncDisposable
{
    private KafkaRedemptions(KafkaDriver driver) => Driver = driver;

    public KafkaDriver Driver { get; }

    /// <summary>Ends when the driver does: faulted where it stopped by itself, and is to be started again.</summary>
    public Task Completion => Driver.Completion;

    /// <summary>Checks the topics, joins the group, and decides as soon as its tasks' state stands.</summary>
    /// <param name="driver">Its group and prefix are the topics'; its layout, its replies' partitions and what passes (a ledger that is away) are set here.</param>
    /// <exception cref="TopicPlanException">Topics are missing or wrong.</exception>
    /// <exception cref="Confluent.Kafka.KafkaException">The brokers cannot be reached, or refuse.</exception>
    public static async Task<KafkaRedemptions> StartAsync(KafkaDriverOptions driver, EffectsPorts ports, KafkaRedemptionsOptions options, IKafkaDriverObserver? observer, TimeProvider time)
    {
        var topics = new KafkaTopics(driver.Group, driver.Prefix);
        await EffectTopics.EnsureAsync(driver, topics, options.Intake.ReplyPartitions, warning => observer?.ClientSaid(warning)).ConfigureAwait(false);
        return new(await KafkaDriver.StartAsync(
            TopologyOf(ports, options), driver with { LayoutHash = RedemptionTopology.LayoutHash, IsPassing = static fault => fault is LedgerFaultException }, new RedemptionEffects(ports, topics, time), new CheckoutIntake(ports.Inputs, options.Intake, time), observer, time)
            .ConfigureAwait(false));
    }

    /// <summary>All topics that the pipeline needs under these settings, as commands for whoever may create them: those that are missing, and what is otherwise than planned about the others.</summary>
    /// <exception cref="Confluent.Kafka.KafkaException">The brokers cannot be reached, or refuse.</exception>
    public static async Task<string> PlanAsync(KafkaDriverOptions driver, EffectsPorts ports, KafkaRedemptionsOptions options)
    {
        using var admin = EffectTopics.Admin(driver);
        var found = await BrokerTopics.FindAsync(admin).ConfigureAwait(false);
        IReadOnlyList<PlannedTopic> plan =
        [
            .. KafkaDriver.Plan(TopologyOf(ports, options), driver, RedemptionEffects.SinkTopics, found),
            .. EffectTopics.Of(driver, new(driver.Group, driver.Prefix), options.Intake.ReplyPartitions),
        ];
        var missing = plan.Where(topic => !found.ContainsKey(topic.Name)).ToList();
        var findings = await BrokerTopics.CompareAsync(admin, plan, found).ConfigureAwait(false);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {plan.Count} topics are needed, {missing.Count} of them are missing.\n").Append(BrokerTopics.Commands(missing));
        if (missing.Count < plan.Count) text.Append(CultureInfo.InvariantCulture, $"# {plan.Count - missing.Count} are there{(findings.Count == 0 ? ", as they would be made." : ". Otherwise than they would be made:")}\n");
        foreach (var finding in findings)
        {
            text.Append(CultureInfo.InvariantCulture, $"# {(finding.Refused ? "Must be mended: " : "")}{finding.Sentence}\n");
            if (finding.Command is { } command) text.Append(finding.Refused ? "" : "# ").Append(command).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Leaves in good order: what was taken is committed, and its partitions go to others at once.</summary>
    public ValueTask DisposeAsync() => Driver.DisposeAsync();

    private static Topology TopologyOf(EffectsPorts ports, KafkaRedemptionsOptions options) => RedemptionTopology.BuildForTopics(ports.Decider, ports.Inputs, options.Topology);
}
