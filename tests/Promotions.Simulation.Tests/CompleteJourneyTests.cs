using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Simulation.CompleteJourney;

namespace Promotions.Simulation.Tests;

public sealed class CompleteJourneyTests
{
    private static readonly Lazy<string> s_folder = new(static () =>
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, "deploy", "demo", "completejourney"))) return Path.Combine(folder.FullName, "deploy", "demo", "completejourney");
        throw new DirectoryNotFoundException("deploy/demo/completejourney is part of the repository.");
    });

    [Fact]
    public void The_retailers_record_and_every_request_are_those_of_the_data()
    {
        var replay = new CompleteJourneyReplay(s_folder.Value);
        Assert.Equal([new("A", 604, 3_647), new("B", 154, 2_368), new("C", 34, 574), new RecordRow("all", 792, 6_589)], replay.Record);
        Assert.Equal(1_197, replay.Campaigns);
        Assert.Equal(1_107, replay.Requests.Count);
        Assert.Equal(166, replay.Requests.Values.Count(static one => one.RealBasket));
        Assert.Equal(2_102, replay.Requests.Values.Sum(static one => one.Coupons));

        var report = new ReplayReport(replay);
        var last = default(EventTime);
        var mailings = 0;
        var orders = new HashSet<string>();
        new ReferenceCheckout().Run(replay, (happened, feedback) =>
        {
            Assert.True(happened.At >= last, $"{happened} after {last}");
            last = happened.At;
            switch (happened)
            {
                case CampaignsDefined { Campaigns: var campaigns }: Assert.All(campaigns, static campaign => Assert.Empty(CampaignRules.Validate(campaign))); break;
                case Engaged: mailings++; break;
                case Ordered { Order: var order }: Assert.True(orders.Add(order.Id) && order.Total >= 0, order.Id); break;
                case RedemptionAttempted { Request: var request }:
                    Assert.InRange(request.At.ToDateTimeOffset().Hour, 0, 23);
                    report.Add(request.Id, feedback!.Status, feedback.Refusal);
                    break;
            }
        });

        Assert.Equal(6_589, mailings);
        Assert.True(orders.Count >= 47_243, $"{orders.Count} orders: all baskets of the sample");
        Assert.True(report.Count(false, RedemptionStatus.Approved) > 500, $"{report.Count(false, RedemptionStatus.Approved)} completed carts approved");
        Assert.Equal(0, report.FalseAlarmRate);
        using var text = new StringWriter();
        report.WriteTo(text);
        Assert.Contains("604", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("real basket", text.ToString(), StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper?.WriteLine(text.ToString());
    }

    [Fact]
    public void A_request_that_is_not_the_replays_is_refused()
    {
        var replay = new CompleteJourneyReplay(s_folder.Value);
        Assert.Throws<ArgumentException>(() => new ReplayReport(replay).Add("other", RedemptionStatus.Approved, RefusalCode.None));
        Assert.Throws<ArgumentException>(() => replay.Observe(new("other", RedemptionStatus.Approved, RefusalCode.None, 0, [])));
    }
}
