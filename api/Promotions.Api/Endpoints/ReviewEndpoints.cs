using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Reviews;

namespace Promotions.Api.Endpoints;

/// <summary>What a reviewer looks at beside the flag itself.</summary>
internal static class ReviewEndpoints
{
    private const string Tag = "Flags";
    private const int SimilarMax = 20;

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("similar_cases", "GET", "/v1/flags/{id}/similar", Access.Admin, Tag, "Past cases with a label whose scores came about alike", SimilarAsync)
        {
            Description = "The nearest, by the Euclidean distance between what each feature contributed to the score, among the 500 newest labels of all channels that the key may see. The id is the redemption's.",
            Query = [new("max", "integer", "1 to 20; 5 when left out.")],
            Answers = [new(200, ContractsJson.Default.SimilarCasesAnswer, "With their labels; where nothing can be compared, why not.")],
            Problems = [ProblemKind.UnknownRedemption],
            Examples = [new("/v1/flags/r-1001/similar?max=3", 200), new("/v1/flags/r-never/similar", 404)],
        },
        new("customer_timeline", "GET", "/v1/customers/{id}/timeline", Access.Admin, "Customers", "What happened to a customer: attempts, orders, labels, balances", TimelineAsync)
        {
            Description = "Of the last 200 attempts and 200 orders, and of lots of which something is left. For keys of all channels only.",
            Query = [new("max", "integer", "1 to 500 moments; 200 when left out.")],
            Answers = [new(200, ContractsJson.Default.TimelineAnswer, "Empty for a customer that was never seen.")],
            Problems = [ProblemKind.NotFound, ProblemKind.ChannelNotAllowed],
            Examples = [new("/v1/customers/c-42/timeline?max=10", 200)],
        },
        new("neighbours", "GET", "/v1/entities/{kind}/{key}/neighbours", Access.Admin, Tag, "Accounts, devices and ips around one of them, two steps far", NeighboursAsync)
        {
            Description = "kind is customer, device or ip; the key a customer's id, or the hash that an answer of this call names a device or ip by. A customer's own attempts are found however old, other accounts among the newest 20,000 decisions; "
                + "at most 12 neighbours, and 5 behind each, those with most attempts. For keys of all channels only.",
            Answers = [new(200, ContractsJson.Default.NeighboursAnswer, "The middle alone, without attempts, where nothing is known of it.")],
            Problems = [ProblemKind.NotFound, ProblemKind.ChannelNotAllowed],
            Examples = [new("/v1/entities/customer/c-42/neighbours", 200), new("/v1/entities/planet/c-42/neighbours", 404)],
        },
    ];

    private static Task SimilarAsync(ApiCall call)
    {
        if (!call.TryQuery("max", 1, SimilarMax, 5, out var max)) return Task.CompletedTask;
        var id = call.PathValue("id");
        if (!Identifier.IsValid(id) || call.Services.Reader.FindDecision(id) is not { } decision || !RedemptionEndpoints.IsVisible(call, decision))
        {
            call.Refuse(ProblemKind.UnknownRedemption);
            return Task.CompletedTask;
        }

        var found = call.Services.Similar.Find(decision, (int)max, other => RedemptionEndpoints.IsVisible(call, other));
        call.Answer(200, new([.. found.Cases.Select(Tell)], found.LookedAt, found.MissingBecause), ContractsJson.Default.SimilarCasesAnswer);
        return Task.CompletedTask;
    }

    private static SimilarCaseAnswer Tell(SimilarCase one)
    {
        var (decision, score) = (one.Labelled.Decision, one.Labelled.Decision.Proposal.Risk.Probability);
        return new(
            decision.Proposal.Request.Id, decision.Proposal.Request.Customer.Id, Wire.Of(decision.Status), double.IsFinite(score) ? score : null, one.Labelled.Abuse, one.Labelled.Source,
            one.Labelled.LabelledAt.ToString(), one.Distance, one.Shared);
    }

    private static Task TimelineAsync(ApiCall call)
    {
        if (!call.TryQuery("max", 1, 500, 200, out var max)) return Task.CompletedTask;
        var id = call.PathValue("id");
        if (!Identifier.IsValid(id)) call.Refuse(ProblemKind.NotFound);
        else if (call.Key.Record.Channels.Count > 0) call.Refuse(ProblemKind.ChannelNotAllowed);
        else
        {
            var line = CustomerTimeline.Read(call.Services.Reader, id, (int)max);
            call.Answer(200, new(line.CustomerId, [.. line.Moments.Select(Tell)], line.IsAll), ContractsJson.Default.TimelineAnswer);
        }

        return Task.CompletedTask;
    }

    private static Task NeighboursAsync(ApiCall call)
    {
        var entity = new GraphEntity(call.PathValue("kind") switch { "customer" => EntityKind.Customer, "device" => EntityKind.Device, "ip" => EntityKind.Ip, _ => EntityKind.None }, call.PathValue("key"));
        if (entity.Kind is EntityKind.None || (entity.Kind is EntityKind.Customer ? !Identifier.IsValid(entity.Key) : entity.Hash is null)) call.Refuse(ProblemKind.NotFound);
        else if (call.Key.Record.Channels.Count > 0) call.Refuse(ProblemKind.ChannelNotAllowed);
        else
        {
            var around = call.Services.Graph.Around(entity);
            call.Answer(
                200,
                new NeighboursAnswer(
                    [.. around.Nodes.Select(node => new NeighbourAnswer(
                        NameOf(node.Entity.Kind), node.Entity.Key, node.Ring, node.Attempts, node.Flagged, node.Accounts, node.Attempts > 0 ? node.LastAt.ToString() : null))],
                    [.. around.Edges.Select(edge => new NeighbourEdgeAnswer(edge.Customer.Key, NameOf(edge.Other.Kind), edge.Other.Key, edge.Attempts))], around.LeftOut, around.LookedAt),
                ContractsJson.Default.NeighboursAnswer);
        }

        return Task.CompletedTask;
    }

    private static string NameOf(EntityKind kind) => kind.ToString().ToLowerInvariant();

    private static MomentAnswer Tell(Moment moment) => new(
        moment.At.ToString(), moment.Kind.ToString().ToLowerInvariant(), moment.Id, moment.Kind is MomentKind.Label ? null : QuantityBody.Of(moment.Amount, moment.Unit),
        moment.Status is RedemptionStatus.None ? null : Wire.Of(moment.Status), moment.Detail, moment.Abuse);
}
