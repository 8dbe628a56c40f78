using Promotions.Streams.Kafka.Commit;

namespace Promotions.Streams.Kafka.Tests;

public class TopicSettingsTests
{
    private static readonly Dictionary<string, string> s_log = new() { ["cleanup.policy"] = "delete", ["retention.ms"] = "1000" };

    [Theory]
    [InlineData(4, -1, 4, 1, null)]
    [InlineData(4, 3, 12, 5, null)]
    [InlineData(4, -1, 3, 1, "has 3 partitions; under these settings it would be made with 4")]
    [InlineData(4, 3, 4, 2, "has 2 copies; under these settings it would be made with 3")]
    public void Fewer_partitions_or_copies_than_planned_are_told(int partitions, short copies, int foundPartitions, int foundCopies, string? says)
    {
        var findings = TopicSettings.Shape(PlannedTopic.Of("orders", partitions, copies, s_log, ""), new(foundPartitions, foundCopies)).ToList();
        if (says is null) Assert.Empty(findings);
        else Assert.Contains(says, Assert.Single(findings, finding => !finding.Refused).Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "1", null)]
    [InlineData(3, "2", null)]
    [InlineData(3, "1", "is lost with it")]
    [InlineData(2, "1", "is lost with it")]
    [InlineData(3, "3", "takes no records while one server is away")]
    [InlineData(2, "2", "takes no records while one server is away")]
    public void Copies_that_must_be_in_sync_are_neither_too_few_nor_all(int copies, string minimum, string? says)
    {
        var found = new Dictionary<string, string?>(s_log!) { ["min.insync.replicas"] = minimum };
        var findings = TopicSettings.Compare(PlannedTopic.Of("orders", 4, -1, s_log, ""), new(4, copies), found.GetValueOrDefault).ToList();
        if (says is null) Assert.Empty(findings);
        else Assert.Contains(says, Assert.Single(findings, finding => !finding.Refused).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_policy_is_refused_and_another_retention_told_each_with_what_mends_it()
    {
        var found = new Dictionary<string, string?> { ["cleanup.policy"] = "compact", ["retention.ms"] = "2000" };
        var findings = TopicSettings.Compare(PlannedTopic.Of("orders", 4, -1, s_log, ""), new(4, 1), found.GetValueOrDefault).ToList();
        Assert.Equal((true, "kafka-configs.sh --alter --entity-type topics --entity-name orders --add-config cleanup.policy=delete"), (findings[0].Refused, findings[0].Command));
        Assert.Equal((false, "kafka-configs.sh --alter --entity-type topics --entity-name orders --add-config retention.ms=1000"), (findings[1].Refused, findings[1].Command));
        Assert.Equal(2, findings.Count);
    }

    [Theory]
    [InlineData("1048588", false)]
    [InlineData("33554432", false)]
    [InlineData("1048587", true)]
    public void A_topic_that_takes_smaller_batches_than_are_sent_is_refused_with_what_mends_it(string most, bool refused)
    {
        var planned = PlannedTopic.Of("hop", 4, -1, new Dictionary<string, string> { ["max.message.bytes"] = "1048588" }, "");
        var findings = TopicSettings.Compare(planned, new(4, 1), name => name == "max.message.bytes" ? most : null).ToList();
        if (!refused) Assert.Empty(findings);
        else Assert.Equal((true, "kafka-configs.sh --alter --entity-type topics --entity-name hop --add-config max.message.bytes=1048588"), (Assert.Single(findings).Refused, findings[0].Command));
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void With_three_copies_two_must_have_what_is_acknowledged(short copies, bool two) =>
        Assert.Equal(two, PlannedTopic.Of("orders", 4, copies, s_log, "").Settings.GetValueOrDefault("min.insync.replicas") == "2");
}
