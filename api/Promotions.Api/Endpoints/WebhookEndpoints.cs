using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Api.Webhooks;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Domain;

namespace Promotions.Api.Endpoints;

/// <summary>Where events are sent.</summary>
internal static class WebhookEndpoints
{
    private const string Tag = "Webhooks";
    private const int EndpointsMax = 50;

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("create_webhook", "POST", "/v1/webhooks", Access.Admin, Tag, "A new endpoint for events", CreateAsync)
        {
            Description = "Everything committed from now on is sent: at least once, in order, signed by Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature; v1, HMAC-SHA256). The secret is in this answer and nowhere else. "
                + "A receiver checks the signature and drops a webhook-id that it has seen. What it does not take with 2xx is tried again for 3 days. For keys of all channels only.",
            Request = ContractsJson.Default.WebhookBody,
            Answers = [new(201, ContractsJson.Default.WebhookAnswer, "Sent to from now on.")],
            Problems = [ProblemKind.ChannelNotAllowed],
            Examples = [new("/v1/webhooks", 201, """{"url": "https://hooks.shop.example/promotions", "events": ["flag.raised", "flag.answered"], "description": "fraud desk"}""")],
        },
        new("list_webhooks", "GET", "/v1/webhooks", Access.Admin, Tag, "All endpoints and how they are served", ListAsync)
        {
            Answers = [new(200, ContractsJson.Default.WebhooksAnswer, "Oldest first.")],
            Problems = [ProblemKind.ChannelNotAllowed],
            Examples = [new("/v1/webhooks", 200)],
        },
        new("get_webhook", "GET", "/v1/webhooks/{id}", Access.Admin, Tag, "One endpoint and how it is served", GetAsync)
        {
            Answers = [new(200, ContractsJson.Default.WebhookAnswer, "Without its secret.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.NotFound],
            Examples = [new("/v1/webhooks/never", 404)],
        },
        new("change_webhook", "PUT", "/v1/webhooks/{id}", Access.Admin, Tag, "Other events, another address, off and on", ChangeAsync)
        {
            Description = "Enabling a disabled or suspended endpoint goes on where it stopped.",
            Request = ContractsJson.Default.WebhookBody,
            Answers = [new(200, ContractsJson.Default.WebhookAnswer, "In force from the next event on.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.NotFound],
            Examples = [new("/v1/webhooks/never", 404, """{"url": "https://hooks.shop.example/promotions", "events": ["flag.raised"]}""")],
        },
        new("delete_webhook", "DELETE", "/v1/webhooks/{id}", Access.Admin, Tag, "End an endpoint", DeleteAsync)
        {
            Answers = [new(204, null, "Nothing more is sent to it.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.NotFound],
            Examples = [new("/v1/webhooks/never", 404)],
        },
        new("rotate_webhook_secret", "POST", "/v1/webhooks/{id}/rotate-secret", Access.Admin, Tag, "A new secret", RotateAsync)
        {
            Description = "For a day events are signed by both, so that the receiver can change over.",
            Answers = [new(200, ContractsJson.Default.WebhookAnswer, "With the new secret.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.NotFound],
            Examples = [new("/v1/webhooks/never/rotate-secret", 404)],
        },
        new("test_webhook", "POST", "/v1/webhooks/{id}/test", Access.Admin, Tag, "Send a test event now", TestAsync)
        {
            Answers = [new(200, ContractsJson.Default.WebhookTestAnswer, "What came of it.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.NotFound],
            Examples = [new("/v1/webhooks/never/test", 404)],
        },
    ];

    private static async Task CreateAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.WebhookBody) is not { } body || !MayAsk(call)) return;
        var errors = new FieldErrors();
        var (url, events, description) = Read(body, call.Services.WebhookSender, errors);
        if (call.Services.Webhooks.List().Count >= EndpointsMax) errors.Add("", "too_many", $"There are {EndpointsMax} endpoints: delete one first.");
        if (errors.Any)
        {
            call.Refuse(errors);
            return;
        }

        var record = await call.Services.Webhooks.CreateAsync(call.Services.Ids.Make("wh"), url, events, description, body.Enabled ?? true, call.Key.Actor).Bounded(call.Services);
        call.Context.Response.Headers.CacheControl = "no-store";
        call.Answer(201, Tell(call, record, record.Secret), ContractsJson.Default.WebhookAnswer);
    }

    private static Task ListAsync(ApiCall call)
    {
        if (MayAsk(call)) call.Answer(200, new WebhooksAnswer([.. call.Services.Webhooks.List().Select(record => Tell(call, record, null))]), ContractsJson.Default.WebhooksAnswer);
        return Task.CompletedTask;
    }

    private static Task GetAsync(ApiCall call)
    {
        if (Find(call) is { } record) call.Answer(200, Tell(call, record, null), ContractsJson.Default.WebhookAnswer);
        return Task.CompletedTask;
    }

    private static async Task ChangeAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.WebhookBody) is not { } body || Find(call) is not { } record) return;
        var errors = new FieldErrors();
        var (url, events, description) = Read(body, call.Services.WebhookSender, errors);
        if (errors.Any) call.Refuse(errors);
        else call.Answer(200, Tell(call, await call.Services.Webhooks.ChangeAsync(record, url, events, description, body.Enabled ?? true, call.Key.Actor).Bounded(call.Services), null), ContractsJson.Default.WebhookAnswer);
    }

    private static async Task DeleteAsync(ApiCall call)
    {
        if (Find(call) is not { } record) return;
        await call.Services.Webhooks.DeleteAsync(record.Id, call.Key.Actor).WaitAsync(call.Services.Options.AnswerTimeout, call.Services.Time);
        call.Context.Response.StatusCode = 204;
    }

    private static async Task RotateAsync(ApiCall call)
    {
        if (Find(call) is not { } record) return;
        var rotated = await call.Services.Webhooks.RotateAsync(record, call.Key.Actor).Bounded(call.Services);
        call.Context.Response.Headers.CacheControl = "no-store";
        call.Answer(200, Tell(call, rotated, rotated.Secret), ContractsJson.Default.WebhookAnswer);
    }

    private static async Task TestAsync(ApiCall call)
    {
        if (Find(call) is not { } record) return;
        var attempt = await call.Services.WebhookSender.SendAsync(record, call.Services.Ids.Make("evt-test"), WebhookEvents.TestBody(call.At), call.Aborted);
        call.Answer(200, new WebhookTestAnswer(attempt.IsTaken, attempt.Status, attempt.Error), ContractsJson.Default.WebhookTestAnswer);
    }

    /// <summary>Events are of all channels.</summary>
    private static bool MayAsk(ApiCall call)
    {
        if (call.Key.Record.Channels.Count == 0) return true;
        call.Refuse(ProblemKind.ChannelNotAllowed);
        return false;
    }

    private static WebhookRecord? Find(ApiCall call)
    {
        if (!MayAsk(call)) return null;
        var id = call.PathValue("id");
        if (Identifier.IsValid(id) && call.Services.Webhooks.Find(id) is { } record) return record;
        call.Refuse(ProblemKind.NotFound);
        return null;
    }

    private static (string Url, IReadOnlyList<string> Events, string? Description) Read(WebhookBody body, WebhookSender sender, FieldErrors errors)
    {
        var url = Check.Text(errors, body.Url, "/url", WebhookBody.UrlMax);
        if (url.Length > 0 && sender.Refuse(url) is { } because) errors.Add("/url", "not_allowed", because);
        var events = new List<string>();
        for (var i = 0; i < Math.Min(body.Events?.Length ?? 0, WebhookEvents.All.Length); i++)
        {
            if (body.Events![i] is not { } name || !WebhookEvents.All.Contains(name, StringComparer.Ordinal)) errors.Add(new At("/events", i, ""), "unknown_value", $"Must be one of {string.Join(", ", WebhookEvents.All)}.");
            else if (events.Contains(name, StringComparer.Ordinal)) errors.Add(new At("/events", i, ""), "repeated", "Is named twice.");
            else events.Add(name);
        }

        if (body.Events is not { Length: > 0 }) errors.Add("/events", "required", "At least one.");
        else if (body.Events.Length > WebhookEvents.All.Length) errors.Add("/events", "too_many", $"There are {WebhookEvents.All.Length} kinds.");
        return (url, events, Check.OptionalText(errors, body.Description, "/description", Bounds.NameMax));
    }

    private static WebhookAnswer Tell(ApiCall call, WebhookRecord record, string? secret)
    {
        var cursor = call.Services.Webhooks.CursorOf(record);
        var state = record.SuspendedBecause is not null ? "suspended" : !record.Enabled ? "disabled" : cursor.FailingSince is not null ? "failing" : "active";
        return new(
            record.Id, record.Url, record.Events, record.Description, state, Wire.Of(new EventTime(record.CreatedAt))!, Math.Max(0, call.Services.Reader.LastOutboxPosition - cursor.Position), cursor.Delivered, Time(cursor.DeliveredAt),
            cursor.GivenUp, cursor.Attempts, Time(cursor.FailingSince), Time(cursor.NextAt), cursor.LastError, record.SuspendedBecause, secret);
    }

    private static string? Time(long? milliseconds) => milliseconds is { } ms ? Wire.Of(new EventTime(ms)) : null;
}
