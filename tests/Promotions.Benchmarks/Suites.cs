namespace Promotions.Benchmarks;

internal static class Suites
{
    /// <summary>In the order in which <c>./deploy/bench</c> runs them. Add yours on a line of its own.</summary>
    public static readonly IReadOnlyList<IBenchSuite> All =
    [
        new Pipeline.PipelineSuite(),
        new ScoreSuite(),
        new ExplainSuite(),
        new LedgerSuite(),
        new Postgres.PostgresSuite(),
        new ClickHouseSuite(),
        new CausalSuite(),
        new Handbook.HandbookSuite(),
        new DataSetSuite(),
        new SearchSuite(),
        new ShopSuite(),
        new Http.HttpSuite(),
        new Http.UpSuite(),
        new Kafka.KafkaSuite(),
    ];
}
