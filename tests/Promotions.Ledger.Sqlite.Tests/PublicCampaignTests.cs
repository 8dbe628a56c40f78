using Promotions.Domain;
using Promotions.Domain.Campaigns;

namespace Promotions.Ledger.Sqlite.Tests;

public class PublicCampaignTests
{
    private static readonly EventTime At = EventTime.From(new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_public_campaign_is_found_by_its_id_in_any_case_as_a_look_at_each_would()
    {
        await using var backend = new SqliteBackend();
        await using var ledger = (await backend.OpenAsync(TimeProvider.System)).Ledger;
        foreach (var campaign in new[]
        {
            ACampaign("Spring"), ACampaign("SPRING"), ACampaign("summer"), ACampaign("autumn") with { Active = false },
            ACampaign("winter") with { Distribution = Distribution.Private }, ACampaign("codes") with { Distribution = Distribution.CodeBased },
        })
            await PutAsync(ledger, campaign);
        Check(ledger.Campaigns);
        Assert.Equal("SPRING", ledger.Campaigns.FindPublic("spring")!.Id);       // by ordinal, capitals come first
        Assert.Equal("summer", ledger.Campaigns.FindPublic("SUMMER")!.Id);

        // A change of coupons keeps the index, a change of campaigns renews it.
        await ledger.ExecuteAsync(new AddCoupons("coupons", Actor.System, At, "codes", [new("C-1", null, 1)]), Lane.Decision, TestContext.Current.CancellationToken);
        Assert.NotNull(ledger.Campaigns.FindPublic("Summer"));
        await PutAsync(ledger, ACampaign("summer") with { Version = 2, Active = false });
        await PutAsync(ledger, ACampaign("autumn") with { Version = 2 });
        Assert.Null(ledger.Campaigns.FindPublic("Summer"));
        Assert.Equal(2, ledger.Campaigns.FindPublic("AUTUMN")!.Version);
        Check(ledger.Campaigns);
        Assert.Equal((true, false), (ledger.Reader.FindCampaign("summer", 1)!.Active, ledger.Reader.FindCampaign("summer", 2)!.Active));
        Assert.Null(ledger.Reader.FindCampaign("summer", 3));
    }

    private static void Check(ICampaignSnapshot campaigns)
    {
        foreach (var code in new[] { "spring", "Spring", "SUMMER", "autumn", "winter", "codes", "C-1", "" })
            Assert.Equal(campaigns.PublicCampaigns.FirstOrDefault(campaign => campaign.Id.Equals(code, StringComparison.OrdinalIgnoreCase)), campaigns.FindPublic(code));
    }

    private static async Task PutAsync(ILedger ledger, Campaign campaign)
    {
        var outcome = await ledger.ExecuteAsync(new PutCampaign($"put-{campaign.Id}-{campaign.Version}", Actor.System, At, campaign), Lane.Decision, TestContext.Current.CancellationToken);
        Assert.True(outcome.Accepted, $"{campaign.Id}: {outcome.Refusal} {outcome.Detail}");
    }

    private static Campaign ACampaign(string id) => new(
        id, 1, id, Distribution.Public, "EUR", new(BenefitType.PercentOff, 1_000, 0, false, null), Conditions.None, Limits.None, At, null, [], 0, "salt-of-" + id, true, At);
}
