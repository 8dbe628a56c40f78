using Promotions.Api.Bulk;
using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Ledger;

namespace Promotions.Api.Endpoints;

/// <summary>Define, change, list.</summary>
internal static class CampaignEndpoints
{
    private const string Tag = "Campaigns";

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("create_campaign", "POST", "/v1/campaigns", Access.Admin, Tag, "A new campaign", CreateAsync)
        {
            Request = ContractsJson.Default.CampaignBody,
            HasId = true,
            Answers = [new(201, ContractsJson.Default.CampaignAnswer, "Made, or made before with the same content.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.SameIdDifferentContent, ProblemKind.StaleCampaignVersion, ProblemKind.InvalidCommand],
            Examples = [new("/v1/campaigns", 201, Examples.Campaign), new("/v1/campaigns", 201, Examples.PrivateCampaign)],
        },
        new("list_campaigns", "GET", "/v1/campaigns", Access.Analyst, Tag, "All campaigns, by id", ListAsync)
        {
            Answers = [new(200, ContractsJson.Default.CampaignsAnswer, "The current version of each.")],
            Examples = [new("/v1/campaigns", 200)],
        },
        new("get_campaign", "GET", "/v1/campaigns/{id}", Access.Analyst, Tag, "One campaign and how much of it is used", GetAsync)
        {
            Answers = [new(200, ContractsJson.Default.CampaignAnswer, "The current version.")],
            Problems = [ProblemKind.UnknownCampaign],
            Examples = [new("/v1/campaigns/summer-10", 200)],
        },
        new("edit_campaign", "PUT", "/v1/campaigns/{id}", Access.Admin, Tag, "The next version of a campaign", EditAsync)
        {
            Description = "version names the version that the edit was made on; when it is no longer the current one, nothing changes.",
            Request = ContractsJson.Default.CampaignBody,
            Answers = [new(200, ContractsJson.Default.CampaignAnswer, "The new version.")],
            Problems = [ProblemKind.UnknownCampaign, ProblemKind.ChannelNotAllowed, ProblemKind.StaleCampaignVersion, ProblemKind.InvalidCommand],
            Examples = [new("/v1/campaigns/summer-10", 200, Examples.CampaignEdit)],
        },
        new("deactivate_campaign", "POST", "/v1/campaigns/{id}/deactivate", Access.Admin, Tag, "Stop a campaign", call => SwitchAsync(call, false))
        {
            Answers = [new(200, ContractsJson.Default.CampaignAnswer, "Not active, now or before.")],
            Problems = [ProblemKind.UnknownCampaign, ProblemKind.StaleCampaignVersion],
            Examples = [new("/v1/campaigns/summer-10/deactivate", 200)],
        },
        new("activate_campaign", "POST", "/v1/campaigns/{id}/activate", Access.Admin, Tag, "Start a campaign again", call => SwitchAsync(call, true))
        {
            Answers = [new(200, ContractsJson.Default.CampaignAnswer, "Active, now or before.")],
            Problems = [ProblemKind.UnknownCampaign, ProblemKind.StaleCampaignVersion],
            Examples = [new("/v1/campaigns/summer-10/activate", 200)],
        },
        new("campaign_results", "GET", "/v1/campaigns/{id}/results", Access.Analyst, "Results", "What the campaign caused, against its control group", ResultsAsync)
        {
            Description = "Issued, redeemed, sales per customer, incremental sales with interval, discount cost, sample-ratio check. Too little data says so instead of a number.",
            Answers = [new(200, ResultsJson.Default.CampaignResult, "Money in minor units of currency.")],
            Problems = [ProblemKind.UnknownCampaign, ProblemKind.ResultsUnavailable],
            Examples = [new("/v1/campaigns/never/results", 404)],
        },
    ];

    private static async Task CreateAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.CampaignBody) is not { } body || !call.TryId(body.Id, out var id)) return;
        await call.Services.Secret.EnsureAsync(call.Aborted);
        var errors = new FieldErrors();
        if (body.Version is not (null or 1)) errors.Add("/version", "not_allowed", "A new campaign's version is 1.");
        // A start left out is now; on a retry it is the recorded one, or the retry would differ from the first try.
        var earlier = call.Services.Ledger.Campaigns.FindCampaign(id);
        var campaign = CampaignIntake.Read(body, id, 1, call.Services.Secret.Salt(id), earlier?.StartsAt ?? call.At, earlier?.CreatedAt ?? call.At, errors);
        if (campaign is null) call.Refuse(errors);
        else if (!call.Key.AllowsAll(campaign.Channels)) call.Refuse(ProblemKind.ChannelNotAllowed);
        else if (earlier is not null)
        {
            if (!call.Key.Allows(earlier) || earlier.Version != 1 || !Same(earlier, campaign)) call.Refuse(ProblemKind.SameIdDifferentContent);
            else
            {
                call.MarkRepeated(true);
                Answer(call, 201, earlier);
            }
        }
        else await PutAsync(call, 201, campaign);
    }

    private static async Task EditAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.CampaignBody) is not { } body || FindVisible(call) is not { } current) return;
        var errors = new FieldErrors();
        if (body.Id is not null && body.Id != current.Id) errors.Add("/id", "not_allowed", "Must be the path's, or left out.");
        var madeOn = (int)Check.Whole(errors, body.Version, "/version", 1, int.MaxValue);
        var next = CampaignIntake.Read(body, current.Id, current.Version + 1, current.Salt, current.StartsAt, call.At, errors);
        if (next is null) call.Refuse(errors);
        else if (!call.Key.AllowsAll(next.Channels)) call.Refuse(ProblemKind.ChannelNotAllowed);
        else if (madeOn == current.Version - 1 && Same(current, next))
        {
            call.MarkRepeated(true);   // the answer to the first try was lost on its way
            Answer(call, 200, current);
        }
        else if (madeOn != current.Version) call.Refuse(ProblemKind.StaleCampaignVersion);
        else await PutAsync(call, 200, next);
    }

    private static async Task SwitchAsync(ApiCall call, bool active)
    {
        if (FindVisible(call) is not { } current) return;
        if (!call.Key.AllowsAll(current.Channels)) call.Refuse(ProblemKind.ChannelNotAllowed);
        else if (current.Active == active) Answer(call, 200, current);
        else await PutAsync(call, 200, current with { Active = active, Version = current.Version + 1, CreatedAt = call.At });
    }

    private static async Task PutAsync(ApiCall call, int status, Campaign campaign)
    {
        // The id follows from the content: two admins' edits of one version are two commands, and one of them is refused as stale.
        var content = Convert.ToHexStringLower(CanonicalHash.Of(campaign).Span);
        var id = IdMaker.Derive("campaign", campaign.Id, campaign.Version.ToString(System.Globalization.CultureInfo.InvariantCulture), content);
        var outcome = await call.Services.Ledger.ExecuteAsync(new PutCampaign(id, call.Key.Actor, call.At, campaign), Lane.Decision, CancellationToken.None).Bounded(call.Services);
        if (!call.RefusedBy(outcome)) Answer(call, status, campaign);
    }

    private static bool Same(Campaign left, Campaign right) =>
        left.StartsAt == right.StartsAt && CanonicalHash.Of(left).Span.SequenceEqual(CanonicalHash.Of(right).Span);

    private static Task ListAsync(ApiCall call)
    {
        call.Answer(
            200,
            new CampaignsAnswer([.. call.Services.Reader.Campaigns().Where(call.Key.Allows).OrderBy(campaign => campaign.Id, StringComparer.Ordinal).Select(campaign => CampaignTexts.Tell(campaign, null))]),
            ContractsJson.Default.CampaignsAnswer);
        return Task.CompletedTask;
    }

    private static Task GetAsync(ApiCall call)
    {
        if (FindVisible(call) is { } campaign)
            call.Answer(200, CampaignTexts.Tell(campaign, call.Services.Reader.UsageOf(campaign.Id)), ContractsJson.Default.CampaignAnswer);
        return Task.CompletedTask;
    }

    private static async Task ResultsAsync(ApiCall call)
    {
        if (FindVisible(call) is not { } campaign) return;
        if (call.Services.Results is not { } results) call.Refuse(ProblemKind.ResultsUnavailable);
        else if (await results.ComputeAsync(campaign.Id, call.Aborted).Bounded(call.Services) is not { } result) call.Refuse(ProblemKind.UnknownCampaign);
        else call.Answer(200, result, ResultsJson.Default.CampaignResult);
    }

    private static void Answer(ApiCall call, int status, Campaign campaign) => call.Answer(status, CampaignTexts.Tell(campaign, null), ContractsJson.Default.CampaignAnswer);

    /// <summary>The campaign of the path, when this key may know of it; else the refusal is written.</summary>
    internal static Campaign? FindVisible(ApiCall call)
    {
        var id = call.PathValue("id");
        if (Identifier.IsValid(id) && call.Services.Ledger.Campaigns.FindCampaign(id) is { } campaign && call.Key.Allows(campaign)) return campaign;
        call.Refuse(ProblemKind.UnknownCampaign);
        return null;
    }
}
