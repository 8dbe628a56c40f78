using System.Text;
using Confluent.Kafka;
using Promotions.Kafka.Cluster;
using Promotions.Streams.Kafka.Commit;

namespace Promotions.Streams.Kafka.Tests;

/// <summary>The way to a ledger, in this process: batches, retries, owners that have passed, answers that cannot be published.</summary>
public sealed class EffectsTests(KafkaServer server)
{
    [Fact]
    public async Task Effects_come_in_order_in_batches_and_are_tried_again_until_they_hold()
    {
        var rig = await Rig.NewAsync(server.Cluster, "effects");
        rig.Effects.FailsLeft = 3;
        await using var driver = await rig.StartAsync();
        await rig.SendAsync(0, 2_000);
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Effects.Applied.Count >= 2_000), () => $"{rig.Effects.Applied.Count} applied.");
        Assert.Equal(Enumerable.Range(0, 2_000).Select(i => $"v{i}"), rig.Effects.Applied);
        Assert.Equal(0, rig.Effects.FailsLeft);
        Assert.True(rig.Effects.Calls < 1_000, $"{rig.Effects.Calls} calls for 2,000 records: none waited for another.");
        Assert.Equal(1, rig.Effects.InOneTaskMax);

        // Issue 34 of the library that one would pick: a commit for each record.
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Watch.Commits > 0), () => "Nothing was committed.");
        Assert.True(rig.Watch.Commits < 200, $"{rig.Watch.Commits} commits for 2,000 records.");
    }

    [Fact]
    public async Task An_answer_that_cannot_be_published_is_a_dead_letter_and_the_next_ones_arrive()
    {
        var rig = await Rig.NewAsync(server.Cluster, "answers");
        rig.Effects.Answer = value => value == "v1" ? new OutgoingRecord("no-such-topic-" + rig.Name, 0, null, "lost"u8.ToArray(), default) : value == "v2" ? new OutgoingRecord(rig.Name + "answers", 0, null, new byte[1_200_000], default) : new OutgoingRecord(rig.Name + "answers", 0, null, Encoding.UTF8.GetBytes(value), default);
        await server.Cluster.CreateTopicAsync(rig.Name + "answers", 1);
        await using var driver = await rig.StartAsync();
        await rig.SendAsync(0, 10);
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Watch.Letters.Count >= 2), () => "No letters.", TimeSpan.FromSeconds(60));
        Assert.Equal(8, (await server.Cluster.ReadAllAsync(rig.Name + "answers")).Count);
        var letters = (await server.Cluster.ReadAllAsync(rig.Options.Prefix + "dead-letters")).ToList();
        Assert.Contains(letters, l => Encoding.UTF8.GetString(l.Message.Value) == "lost");
        Assert.False(driver.Completion.IsFaulted);
    }

    [Fact]
    public async Task An_owner_whose_epoch_has_passed_takes_nothing_more_and_commits_nothing_of_it()
    {
        var rig = await Rig.NewAsync(server.Cluster, "epoch");
        rig.Effects.PassedFrom = 5;
        await using var driver = await rig.StartAsync();
        await rig.SendAsync(0, 50);
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Watch.FencedTasks > 0), () => "It was not refused.");
        await rig.SendAsync(50, 10);
        await driver.DisposeAsync();
        Assert.DoesNotContain("v59", rig.Effects.Applied);

        rig.Effects.PassedFrom = int.MaxValue;
        await using var owner = await rig.StartAsync();
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Effects.Applied.Distinct().Count() == 60), () => $"{rig.Effects.Applied.Distinct().Count()} applied.");
    }

    [Fact]
    public async Task A_dead_letter_that_is_sent_again_is_processed_with_its_key_and_its_time()
    {
        var rig = await Rig.NewAsync(server.Cluster, "again");
        await using var driver = await rig.StartAsync();
        rig.Intake.Refuses = true;
        await rig.SendAsync(0, 3);
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Watch.Letters.Count == 3), () => $"{rig.Watch.Letters.Count} letters.");
        await Eventually.HoldsAsync(async () => (await DeadLetters.ReadAsync(rig.Options)).Count == 3, () => "The letters are not there.");
        Assert.All(await DeadLetters.ReadAsync(rig.Options), l => Assert.Equal((rig.Name + "in", "failed", "Refused for a test."), (l.Topic, l.Reason, l.Detail)));
        Assert.Empty(rig.Effects.Applied);

        rig.Intake.Refuses = false;
        Assert.Equal(2, await DeadLetters.SendAgainAsync(rig.Options, l => l.Offset > 0));
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Effects.Applied.Count == 2), () => $"{rig.Effects.Applied.Count} applied.");
        Assert.Equal(["v1", "v2"], rig.Effects.Applied);
        Assert.Equal("k", rig.Intake.LastKey);
    }

    [Fact]
    public async Task Topics_that_are_missing_are_a_plan_where_the_driver_may_not_make_them()
    {
        var rig = await Rig.NewAsync(server.Cluster, "plan", createInput: false);
        var options = rig.Options with { CreateTopics = false };
        var plan = await Assert.ThrowsAsync<TopicPlanException>(() => KafkaDriver.StartAsync(Rig.Topology(), options, rig.Effects));
        Assert.Contains($"--topic {rig.Name}in --partitions 1", plan.Message, StringComparison.Ordinal);
        Assert.Contains("cleanup.policy=compact", plan.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("effects", plan.Message, StringComparison.Ordinal);
        Assert.Contains(KafkaDriver.Plan(Rig.Topology(), options), topic => topic.Name == $"{rig.Name}g-in-changelog");
    }

    [Fact]
    public async Task A_changelog_that_would_forget_refuses_the_start_and_says_how_to_mend_it()
    {
        var rig = await Rig.NewAsync(server.Cluster, "forgets");
        var changelog = $"{rig.Name}g-in-changelog";
        await server.Cluster.CreateTopicAsync(changelog, 1, new Dictionary<string, string> { ["cleanup.policy"] = "delete" });
        var refused = await Assert.ThrowsAsync<TopicPlanException>(() => KafkaDriver.StartAsync(Rig.Topology(), rig.Options, rig.Effects));
        Assert.Contains($"'{changelog}' has cleanup.policy=delete and needs compact", refused.Message, StringComparison.Ordinal);
        Assert.Contains("kafka-configs.sh --alter", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_that_loses_nothing_is_told_and_the_driver_starts()
    {
        var rig = await Rig.NewAsync(server.Cluster, "tells");
        await server.Cluster.CreateTopicAsync($"{rig.Name}g-in-changelog", 1, new Dictionary<string, string> { ["cleanup.policy"] = "compact", ["delete.retention.ms"] = "1000" });
        await using (await rig.StartAsync()) Assert.Contains(rig.Watch.Said, line => line.Contains("has delete.retention.ms=1000;", StringComparison.Ordinal));
    }

    /// <summary>Two owners one after the other, and the earlier one was the slower: its word came last. The group holds the task to be ours, so nobody else would ever take it.</summary>
    [Fact]
    public async Task A_task_that_was_refused_and_is_still_ours_begins_again_under_a_new_epoch()
    {
        var rig = await Rig.NewAsync(server.Cluster, "reopen");
        rig.Effects.PassedFrom = 5;
        rig.Effects.PassedUntilEpoch = 2;
        await using var driver = await rig.StartAsync(rig.Options with { SessionTimeout = TimeSpan.FromSeconds(1), Heartbeat = TimeSpan.FromMilliseconds(250) });
        await rig.SendAsync(0, 50);
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Watch.FencedTasks == 1), () => "It was not refused.");
        await rig.SendAsync(50, 10);
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Effects.Applied.Distinct().Count() == 60), () => $"{rig.Effects.Applied.Distinct().Count()} applied.");
        Assert.Equal(Enumerable.Range(0, 60).Select(i => $"v{i}"), rig.Effects.Applied.Distinct());
        Assert.Equal((2L, 1), (rig.Effects.Epoch, rig.Watch.FencedTasks));
        Assert.True(driver.IsServing);
    }
}
