using System.Globalization;
using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Ledger;

namespace Promotions.Api.Endpoints;

/// <summary>What happened: purchases, returns, engagements, labels.</summary>
internal static class EventEndpoints
{
    private const string Tag = "Events";

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("place_order", "POST", "/v1/orders", Access.Checkout, Tag, "A purchase, with or without a redemption", OrderAsync)
        {
            Description = "The order's id is the idempotency id.",
            Request = ContractsJson.Default.OrderPlacedBody,
            HasId = true,
            Answers = [new(200, ContractsJson.Default.RecordedAnswer, "Recorded.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.SameIdDifferentContent, ProblemKind.InvalidCommand],
            Examples = [new("/v1/orders", 200, Examples.OrderPlaced)],
        },
        new("return_order", "POST", "/v1/orders/{id}/returns", Access.Checkout, Tag, "Money given back for an order", ReturnAsync)
        {
            Request = ContractsJson.Default.OrderReturnedBody,
            HasId = true,
            Answers = [new(200, ContractsJson.Default.RecordedAnswer, "Recorded.")],
            Description = "By the order's customer, in its currency, and all returns of an order together at most what was paid.",
            Problems = [ProblemKind.UnknownOrder, ProblemKind.ReturnExceedsOrder, ProblemKind.SameIdDifferentContent],
            Examples = [new("/v1/orders/o-1001/returns", 200, """{"id": "ret-1", "customer_id": "c-42", "amount": {"amount": 850, "currency": "EUR"}}"""), new("/v1/orders/o-never/returns", 404, """{"id": "ret-2", "customer_id": "c-42", "amount": {"amount": 850, "currency": "EUR"}}""")],
        },
        new("engage", "POST", "/v1/engagements", Access.Checkout, Tag, "Something a customer did that is no purchase", EngageAsync)
        {
            Request = ContractsJson.Default.EngagementBody,
            HasId = true,
            Answers = [new(200, ContractsJson.Default.RecordedAnswer, "Recorded.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.SameIdDifferentContent],
            Examples = [new("/v1/engagements", 200, """{"id": "e-1", "channel": "web-de", "customer_id": "c-42", "type": "review"}""")],
        },
        new("label", "POST", "/v1/labels", Access.Admin, Tag, "Confirmed abuse of a redemption, or its confirmed absence", LabelAsync)
        {
            Description = "Abuse voids a hold that is not captured yet.",
            Request = ContractsJson.Default.LabelBody,
            HasId = true,
            Answers = [new(200, ContractsJson.Default.RecordedAnswer, "Recorded; it counts from now on.")],
            Problems = [ProblemKind.UnknownRedemption, ProblemKind.SameIdDifferentContent],
            Examples = [new("/v1/labels", 200, """{"id": "l-1", "redemption_id": "r-1001", "abuse": false, "source": "import"}""")],
        },
    ];

    private static async Task OrderAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.OrderPlacedBody) is not { } body) return;
        if (!call.TryId(body.Order?.Id, out var id, "/order/id")) return;
        var errors = new FieldErrors();
        var order = OrderIntake.Read(body, new Caller(id, call.Key.Id, call.At, null), errors);
        if (order is null) call.Refuse(errors);
        else if (!call.Key.Allows(order.Channel)) call.Refuse(ProblemKind.ChannelNotAllowed);
        else call.AnswerRecorded(id, await call.Services.Gateway.RecordAsync(order, CancellationToken.None).Bounded(call.Services));
    }

    private static async Task ReturnAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.OrderReturnedBody) is not { } body || !call.TryId(body.Id, out var id)) return;
        var orderId = call.PathValue("id");
        var errors = new FieldErrors();
        var returned = OrderIntake.Read(body, orderId, new Caller(id, call.Key.Id, call.At, null), errors);
        if (returned is null)
        {
            call.Refuse(errors);
            return;
        }
        if (!Identifier.IsValid(orderId) || call.Services.Orders.FindOrder(orderId) is not { } order)
        {
            call.Refuse(ProblemKind.UnknownOrder);
            return;
        }
        // Neither ever changes, so looking before the ledger does is safe; what is left of the order is the ledger's to say.
        if (returned.CustomerId != order.CustomerId) errors.Add("/customer_id", "not_the_orders", "Must be the order's customer.");
        if (body.Amount!.Currency != order.Currency) errors.Add("/amount/currency", "currency_mismatch", $"Must be {order.Currency}, like the order.");
        if (errors.Any)
        {
            call.Refuse(errors);
            return;
        }
        var outcome = await call.Services.Gateway.RecordAsync(returned, CancellationToken.None).Bounded(call.Services);
        if (outcome.Refusal is LedgerRefusal.InvalidCommand)
            call.Refuse(ProblemKind.ReturnExceedsOrder, string.Create(CultureInfo.InvariantCulture, $"{order.Total - order.Returned} of {order.Total} minor units of {order.Currency} were left when it came."));
        else call.AnswerRecorded(id, outcome);
    }

    private static async Task EngageAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.EngagementBody) is not { } body || !call.TryId(body.Id, out var id)) return;
        var errors = new FieldErrors();
        var engagement = EventIntake.Engagement(body, new Caller(id, call.Key.Id, call.At, null), errors);
        if (engagement is null) call.Refuse(errors);
        else if (!call.Key.Allows(engagement.Channel)) call.Refuse(ProblemKind.ChannelNotAllowed);
        else call.AnswerRecorded(id, await call.Services.Gateway.RecordAsync(engagement, CancellationToken.None).Bounded(call.Services));
    }

    private static async Task LabelAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.LabelBody) is not { } body || !call.TryId(body.Id, out var id)) return;
        var errors = new FieldErrors();
        if (EventIntake.Label(body, errors) is not { } label) call.Refuse(errors);
        // A label is about the entities that its redemption touched; these come from the record, not from the caller.
        else if (call.Services.Reader.FindDecision(label.RedemptionId) is not { } decision || !RedemptionEndpoints.IsVisible(call, decision)) call.Refuse(ProblemKind.UnknownRedemption);
        else
        {
            var recorded = new LabelRecorded(id, label.RedemptionId, label.Abuse, label.Source, label.Note, call.Key.Id, call.At, decision.Proposal.Entities);
            call.AnswerRecorded(id, await call.Services.Gateway.RecordAsync(recorded, CancellationToken.None).Bounded(call.Services));
        }
    }
}
