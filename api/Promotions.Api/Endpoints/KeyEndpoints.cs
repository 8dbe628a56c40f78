using Promotions.Api.Http;
using Promotions.Api.Keys;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;

namespace Promotions.Api.Endpoints;

/// <summary>API keys. Nobody makes a key that can do more than the own one.</summary>
internal static class KeyEndpoints
{
    private const string Tag = "API keys";

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("create_api_key", "POST", "/v1/api-keys", Access.Admin, Tag, "A new key", CreateAsync)
        {
            Description = "The key is in this answer and nowhere else. Asking twice makes two.",
            Request = ContractsJson.Default.ApiKeyBody,
            Answers = [new(201, ContractsJson.Default.ApiKeyAnswer, "Works from now on.")],
            Problems = [ProblemKind.ChannelNotAllowed],
            Examples = [new("/v1/api-keys", 201, """{"name": "tills in Berlin", "scopes": ["checkout"], "channels": ["pos-17"], "requests_per_second": 50}""")],
        },
        new("list_api_keys", "GET", "/v1/api-keys", Access.Admin, Tag, "All keys, without their secrets", ListAsync)
        {
            Answers = [new(200, ContractsJson.Default.ApiKeysAnswer, "Revoked ones too.")],
            Examples = [new("/v1/api-keys", 200)],
        },
        new("revoke_api_key", "POST", "/v1/api-keys/{id}/revoke", Access.Admin, Tag, "End a key at once", RevokeAsync)
        {
            Answers = [new(200, ContractsJson.Default.ApiKeyAnswer, "Revoked, now or before.")],
            Problems = [ProblemKind.NotFound, ProblemKind.LastAdminKey],
            Examples = [new("/v1/api-keys/never/revoke", 404)],
        },
    ];

    private static async Task CreateAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.ApiKeyBody) is not { } body) return;
        var errors = new FieldErrors();
        var name = Check.Text(errors, body.Name, "/name", Bounds.NameMax);
        var scopes = KeyScopes.None;
        for (var i = 0; i < (body.Scopes?.Length ?? 0); i++)
        {
            var scope = KeyScopesText.Parse(body.Scopes![i]);
            if (scope is KeyScopes.None) errors.Add(new At("/scopes", i, ""), "unknown_value", "Must be checkout, admin or analyst.");
            scopes |= scope;
        }
        if (body.Scopes is not { Length: > 0 }) errors.Add("/scopes", "required", "At least one.");
        var channels = Check.Ids(errors, body.Channels, "/channels", Bounds.ListMax);
        var rate = (int?)Check.OptionalWhole(errors, body.RequestsPerSecond, "/requests_per_second", 1, 1_000_000);
        var owner = Check.OptionalText(errors, body.Owner, "/owner", Bounds.NameMax) ?? call.Key.Person;
        if (errors.Any) call.Refuse(errors);
        else if (!call.Key.AllowsAll(channels)) call.Refuse(ProblemKind.ChannelNotAllowed);
        else
        {
            var (record, text) = await call.Services.Keys.CreateAsync(name, scopes, channels, rate, call.Key.Actor, CancellationToken.None, owner).Bounded(call.Services);
            call.Context.Response.Headers.CacheControl = "no-store";
            call.Answer(201, Tell(record, text), ContractsJson.Default.ApiKeyAnswer);
        }
    }

    private static Task ListAsync(ApiCall call)
    {
        call.Answer(
            200, new ApiKeysAnswer([.. call.Services.Keys.List().Where(record => call.Key.AllowsAll(record.Channels)).Select(record => Tell(record, null))]), ContractsJson.Default.ApiKeysAnswer);
        return Task.CompletedTask;
    }

    private static async Task RevokeAsync(ApiCall call)
    {
        var id = call.PathValue("id");
        var all = call.Services.Keys.List();
        if (all.FirstOrDefault(record => record.Id == id) is not { } found || !call.Key.AllowsAll(found.Channels)) call.Refuse(ProblemKind.NotFound);
        else if (found.RevokedAt is null && IsAdmin(found) && !all.Any(record => record.Id != id && record.RevokedAt is null && IsAdmin(record))) call.Refuse(ProblemKind.LastAdminKey);
        else call.Answer(
            200, Tell((await call.Services.Keys.RevokeAsync(id, call.Key.Actor, CancellationToken.None).Bounded(call.Services))!, null), ContractsJson.Default.ApiKeyAnswer);
    }

    private static bool IsAdmin(ApiKeyRecord record) => record.Scopes.HasFlag(KeyScopes.Admin);

    private static ApiKeyAnswer Tell(ApiKeyRecord record, string? text) => new(
        record.Id, record.Name, record.Scopes.Names(), record.Channels, record.RequestsPerSecond, record.CreatedAt.ToString(), Wire.Of(record.RevokedAt), record.Owner, text);
}
