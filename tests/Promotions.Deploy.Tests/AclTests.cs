using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Promotions.Server;
using Promotions.Server.Scaled;

namespace Promotions.Deploy.Tests;

/// <summary>Each role may do what it does, and nothing else: asked of the broker, and done.</summary>
public sealed class AclTests(SecuredKafka kafka) : IClassFixture<SecuredKafka>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly AclOperation[] Nothing = [];
    private static readonly AclOperation[] Reads = [AclOperation.Read, AclOperation.Describe];
    private static readonly AclOperation[] Writes = [AclOperation.Write, AclOperation.Describe];

    public static TheoryData<string> Roles => [.. SecuredKafka.Roles, "stranger"];

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task A_role_may_do_to_each_topic_what_it_does_and_nothing_else(string role)
    {
        using var admin = kafka.Admin(role);
        foreach (var topic in SecuredKafka.Topics)
            Assert.Equal(Allowed(role, topic).Order(), await OperationsAsync(admin, topic));
        var cluster = await admin.DescribeClusterAsync(new() { IncludeAuthorizedOperations = true, RequestTimeout = Patience });
        Assert.Empty(cluster.AuthorizedOperations!);
    }

    [Fact]
    public async Task The_pipeline_reads_works_in_transactions_and_answers()
    {
        using var consumer = Consumer("pipeline", SecuredKafka.Group);
        consumer.Subscribe(SecuredKafka.Inputs.Append("promotions-entities-repartition"));
        using var checkout = Producer("checkout");
        await checkout.ProduceAsync("redemption-requests", Message());
        var read = consumer.Consume(Patience);
        while (read is { Topic: not "redemption-requests" }) read = consumer.Consume(Patience);        // other tests have written to the others
        Assert.NotNull(read);

        using var plain = Producer("pipeline");
        foreach (var topic in SecuredKafka.Outputs.Concat(SecuredKafka.Internal)) await plain.ProduceAsync(topic, Message());
        using var transactional = Producer("pipeline", SecuredKafka.Group + "-host-1");
        transactional.InitTransactions(Patience);
        transactional.BeginTransaction();
        transactional.Produce("promotions-features-changelog", Message());
        transactional.SendOffsetsToTransaction([new(read.TopicPartition, read.Offset + 1)], consumer.ConsumerGroupMetadata, Patience);
        transactional.CommitTransaction(Patience);
        Assert.Equal(read.Offset + 1, consumer.Committed([read.TopicPartition], Patience).Single().Offset);
        consumer.Close();

        // What it asks at its start: are the topics there, and as they should be; and makes those of its own.
        using var admin = kafka.Admin("pipeline");
        await admin.CreateTopicsAsync([new() { Name = "promotions-seen-changelog", NumPartitions = 1, ReplicationFactor = 1 }], new() { RequestTimeout = Patience });
        var described = await admin.DescribeConfigsAsync([.. SecuredKafka.Inputs.Concat(SecuredKafka.Outputs).Append("promotions-seen-changelog").Select(topic => new ConfigResource { Type = ResourceType.Topic, Name = topic })], new() { RequestTimeout = Patience });
        Assert.All(described, one => Assert.Contains("cleanup.policy", one.Entries.Keys));
        var refused = await Assert.ThrowsAsync<CreateTopicsException>(() => admin.CreateTopicsAsync([new() { Name = "payments-copy", NumPartitions = 1, ReplicationFactor = 1 }], new() { RequestTimeout = Patience }));
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, refused.Results.Single().Error.Code);
    }

    [Fact]
    public async Task A_process_with_a_wrong_password_is_refused_by_name_and_one_with_the_right_one_or_without_brokers_is_not()
    {
        ScaledOptions With(ClientConfig client) => ScaledOptions.From(null, client.BootstrapServers, "Host=unused", null)! with { Client = client.Where(pair => pair.Key != "bootstrap.servers").ToDictionary(pair => pair.Key, pair => pair.Value) };
        var cancel = TestContext.Current.CancellationToken;
        await BrokerSignIn.CheckAsync(With(kafka.Configure(new AdminClientConfig(), "api")), TimeSpan.MaxValue, cancel);

        var wrong = kafka.Configure(new AdminClientConfig(), "api");
        wrong.SaslPassword = "guessed";
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => BrokerSignIn.CheckAsync(With(wrong), TimeSpan.MaxValue, cancel));
        Assert.Contains("Invalid username or password", refused.Message, StringComparison.Ordinal);
        Assert.Contains("PROMOTIONS_KAFKA_SASL_", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("guessed", refused.Message, StringComparison.Ordinal);

        await BrokerSignIn.CheckAsync(With(new AdminClientConfig { BootstrapServers = "127.0.0.1:1" }), TimeSpan.Zero, cancel);
    }

    [Fact]
    public async Task The_api_asks_and_waits_for_replies()
    {
        using var producer = Producer("api");
        foreach (var topic in SecuredKafka.Inputs) await producer.ProduceAsync(topic, Message());
        using var pipeline = Producer("pipeline");
        foreach (var topic in (string[])["promotions-replies", "promotions-members"])
        {
            await pipeline.ProduceAsync(topic, Message());
            using var consumer = Consumer("api", topic);
            consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
            Assert.Equal(topic, consumer.Consume(Patience)?.Topic);
        }
        await RefusedAsync(producer, "redemption-decisions");
        await RefusedAsync(producer, "promotions-replies");
        NotRead("api", "promotions-replies", "redemption-requests");
    }

    [Fact]
    public async Task A_checkout_sees_decisions_and_touches_nothing_inside()
    {
        using var producer = Producer("checkout");
        foreach (var topic in SecuredKafka.Inputs.Where(topic => topic != "labels")) await producer.ProduceAsync(topic, Message());
        using var pipeline = Producer("pipeline");
        await pipeline.ProduceAsync("redemption-decisions", Message());
        using var consumer = Consumer("checkout", "checkout-web");
        consumer.Subscribe(["redemption-decisions", "balance-changes"]);
        Assert.NotNull(consumer.Consume(Patience));
        consumer.Close();

        foreach (var topic in (string[])["labels", "redemption-decisions", "promotions-replies", "promotions-features-changelog"]) await RefusedAsync(producer, topic);
        NotRead("checkout", "checkout-web", "orders");
        using var thief = Consumer("checkout", SecuredKafka.Group);         // the pipeline's group: a member there would take its tasks
        thief.Subscribe("redemption-decisions");
        Assert.Equal(ErrorCode.GroupAuthorizationFailed, Assert.Throws<ConsumeException>(() => thief.Consume(Patience)).Error.Code);
        using var zombie = Producer("checkout", SecuredKafka.Group + "-host-1");
        Assert.Equal(ErrorCode.TransactionalIdAuthorizationFailed, Assert.ThrowsAny<KafkaException>(() => zombie.InitTransactions(Patience)).Error.Code);
    }

    [Fact]
    public async Task The_system_page_hears_every_member_with_the_rights_of_the_dashboard()
    {
        using var pipeline = new ProducerBuilder<string, byte[]?>(kafka.Configure(new ProducerConfig { EnableIdempotence = true }, "pipeline")).SetLogHandler((_, _) => { }).Build();
        await SayAsync("p-1", "running");        // before the page is opened
        var client = new Dictionary<string, string>(kafka.Configure(new ClientConfig(), "admin"));
        var bootstrap = client["bootstrap.servers"];
        await using var status = new KafkaSystemStatus(
            bootstrap, "promotions-members", client, () => new(null, null, null, 3, 0.1), () => [new("clickhouse", 9)], TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<KafkaSystemStatus>.Instance);
        await UntilAsync(() => status.Read().Members is [{ Id: "p-1", State: "running" }]);
        await SayAsync("p-2", "starting");       // while it is open
        await UntilAsync(() => status.Read().Members is [{ Id: "p-1" }, { Id: "p-2", State: "starting", Tasks: [{ Lag: 4 }] }]);
        await pipeline.ProduceAsync("promotions-members", new() { Key = "p-1", Value = null });
        await UntilAsync(() => status.Read().Members is [{ Id: "p-2" }]);
        var answer = status.Read();
        Assert.Equal(("kafka", 3, 9), (answer.Mode, answer.Ledger!.UnsequencedEntries, answer.Followers.Single().PositionsBehind));

        Task SayAsync(string id, string state) => pipeline.ProduceAsync("promotions-members", new()
        {
            Key = id, Value = MemberTableTests.Status(id, Domain.EventTime.Now(TimeProvider.System), state, [new(0, "redemption-requests", 0, "active", "running", 4, null)], null).ToJson(),
        });
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!holds()) await Task.Delay(20, limit.Token);
    }

    private static AclOperation[] Allowed(string role, string topic)
    {
        AclOperation[] pipeline = [AclOperation.DescribeConfigs, AclOperation.Create];
        return role switch
        {
            "pipeline" when SecuredKafka.Inputs.Contains(topic) => [.. Reads, .. pipeline],
            "pipeline" when SecuredKafka.Outputs.Contains(topic) => [.. Writes, .. pipeline],
            "pipeline" when SecuredKafka.Internal.Contains(topic) => [AclOperation.Write, .. Reads, .. pipeline],
            "api" or "admin" when SecuredKafka.Inputs.Contains(topic) => Writes,
            "api" or "admin" when topic is "promotions-replies" or "promotions-members" or "redemption-decisions" => Reads,
            "checkout" when SecuredKafka.Inputs.Contains(topic) && topic != "labels" => Writes,
            "checkout" when topic is "redemption-decisions" or "balance-changes" => Reads,
            _ => Nothing,
        };
    }

    private static async Task<IEnumerable<AclOperation>> OperationsAsync(IAdminClient admin, string topic)
    {
        TopicDescription? described;
        try
        {
            described = (await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames([topic]), new() { IncludeAuthorizedOperations = true, RequestTimeout = Patience })).TopicDescriptions.Single();
        }
        catch (DescribeTopicsException refused)
        {
            Assert.Equal(ErrorCode.TopicAuthorizationFailed, refused.Results.TopicDescriptions.Single().Error.Code);
            return [];
        }
        return described.AuthorizedOperations!.Order();
    }

    private IProducer<string, string> Producer(string role, string? transactionalId = null) =>
        new ProducerBuilder<string, string>(kafka.Configure(new ProducerConfig { EnableIdempotence = true, Acks = Acks.All, TransactionalId = transactionalId, MessageTimeoutMs = 20_000 }, role)).SetLogHandler((_, _) => { }).Build();

    private IConsumer<string, string> Consumer(string role, string group) => new ConsumerBuilder<string, string>(
        kafka.Configure(new ConsumerConfig { GroupId = group, AutoOffsetReset = AutoOffsetReset.Earliest, EnableAutoCommit = false, AllowAutoCreateTopics = false }, role)).SetLogHandler((_, _) => { }).Build();

    private void NotRead(string role, string group, string topic)
    {
        using var consumer = Consumer(role, group);
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, Assert.Throws<ConsumeException>(() => consumer.Consume(Patience)).Error.Code);
    }

    private static async Task RefusedAsync(IProducer<string, string> producer, string topic) =>
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, (await Assert.ThrowsAsync<ProduceException<string, string>>(() => producer.ProduceAsync(topic, Message()))).Error.Code);

    private static Message<string, string> Message() => new() { Key = "c-1", Value = "{}" };
}
