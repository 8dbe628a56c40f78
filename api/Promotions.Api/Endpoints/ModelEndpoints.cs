using Promotions.Api.Http;
using Promotions.Api.Keys;
using Promotions.Api.Models;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Scoring;

namespace Promotions.Api.Endpoints;

/// <summary>The life of fraud models. For keys of all channels only: a model decides everywhere.</summary>
internal static class ModelEndpoints
{
    private const string Tag = "Models";
    private static readonly string NoModel = new('0', 64);

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("list_models", "GET", "/v1/models", Access.Admin, Tag, "Every registered model, and which decide and score now", ListAsync)
        {
            Answers = [new(200, ContractsJson.Default.ModelsAnswer, "In the order of their registration.")],
            Examples = [new("/v1/models", 200)],
        },
        new("register_model", "POST", "/v1/models", Access.Admin, Tag, "Keep a model file as a candidate", RegisterAsync)
        {
            Description = "Refused by name where the file is cut short, damaged, of another feature layout, lacks a feature, or answers no number. The same file again is the same model.",
            Request = ContractsJson.Default.ModelBody,
            BodyMax = Bounds.GrantBodyMax,
            Answers = [new(201, ContractsJson.Default.ModelAnswer, "Registered, now or before.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.InvalidModel, ProblemKind.ModelState],
            Examples = [new("/v1/models", 422, """{"file_base64": "e30=", "note": "no model"}""")],
        },
        Step("shadow_model", "shadow", "Let a model score every request beside the champion", (registry, hash, key) => registry.ShadowAsync(hash, key.Actor, CancellationToken.None)),
        Step("promote_model", "promote", "Make a challenger the champion: one person proposes, another one confirms", (registry, hash, key) => registry.PromoteAsync(hash, key.Actor, key.Person, CancellationToken.None)) with
        {
            Description = "The first call answers with proposed_by; the second, by another person (two keys of one owner are one person) and within seven days, makes it decide. The champion before is retired.",
        },
        Step("retire_model", "retire", "Take a candidate or challenger out of service", (registry, hash, key) => registry.RetireAsync(hash, key.Actor, CancellationToken.None)),
    ];

    private static ApiOperation Step(string id, string verb, string summary, Func<ModelRegistry, string, ApiKey, Task<(RegisteredModel? Model, ModelRefusal Refusal)>> step) =>
        new(id, "POST", $"/v1/models/{{hash}}/{verb}", Access.Admin, Tag, summary, call => StepAsync(call, step))
        {
            Answers = [new(200, ContractsJson.Default.ModelAnswer, "As it stands now.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.UnknownModel, ProblemKind.ModelState, ProblemKind.SecondPersonNeeded, ProblemKind.InvalidModel],
            Examples = [new($"/v1/models/{NoModel}/{verb}", 404)],
        };

    private static Task ListAsync(ApiCall call)
    {
        var (book, now) = (call.Services.ModelRegistry.Current, call.Services.Models.Current);
        call.Answer(200, new ModelsAnswer(
            book.Version, now.Champion?.ModelHash, now.MissingBecause, [.. now.Challengers.Select(challenger => challenger.ModelHash)], [.. book.Models.Select(model => Tell(call, model))]),
            ContractsJson.Default.ModelsAnswer);
        return Task.CompletedTask;
    }

    private static async Task RegisterAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.ModelBody) is not { } body) return;
        var errors = new FieldErrors();
        var text = Check.Text(errors, body.FileBase64, "/file_base64", Bounds.GrantBodyMax);
        var note = body.Note is null ? "" : Check.Text(errors, body.Note, "/note", Bounds.NoteMax);
        var file = new byte[text.Length * 3L / 4 + 3];
        var length = 0;
        if (!errors.Any && !Convert.TryFromBase64String(text, file, out length)) errors.Add("/file_base64", "invalid_base64", "Is not Base64.");
        if (errors.Any) call.Refuse(errors);
        else await AnswerAsync(call, 201, registry => registry.RegisterAsync(file[..length], note, call.Key.Actor, CancellationToken.None));
    }

    private static Task StepAsync(ApiCall call, Func<ModelRegistry, string, ApiKey, Task<(RegisteredModel? Model, ModelRefusal Refusal)>> step) =>
        AnswerAsync(call, 200, registry => step(registry, call.PathValue("hash"), call.Key));

    private static async Task AnswerAsync(ApiCall call, int status, Func<ModelRegistry, Task<(RegisteredModel? Model, ModelRefusal Refusal)>> step)
    {
        if (call.Key.Record.Channels.Count > 0)
        {
            call.Refuse(ProblemKind.ChannelNotAllowed);
            return;
        }

        try
        {
            var (model, refusal) = await step(call.Services.ModelRegistry).Bounded(call.Services);
            if (refusal is ModelRefusal.None) call.Answer(status, Tell(call, model!), ContractsJson.Default.ModelAnswer);
            else Refuse(call, refusal);
        }
        catch (ModelFileException e)
        {
            call.Refuse(ProblemKind.InvalidModel, e.Message);
        }
    }

    private static void Refuse(ApiCall call, ModelRefusal refusal)
    {
        switch (refusal)
        {
            case ModelRefusal.Unknown: call.Refuse(ProblemKind.UnknownModel); break;
            case ModelRefusal.SamePerson: call.Refuse(ProblemKind.SecondPersonNeeded); break;
            case ModelRefusal.TooManyChallengers: call.Refuse(ProblemKind.ModelState, $"{Processing.Decisions.DecisionInputs.ChallengersMax} models score in shadow already: retire one first."); break;
            case ModelRefusal.TooMany: call.Refuse(ProblemKind.ModelState, $"The registry holds {ModelBook.ModelsMax} models and takes no more."); break;
            case ModelRefusal.WrongState: call.Refuse(ProblemKind.ModelState, "Only a model in shadow can be promoted, and the champion leaves by another's promotion."); break;
            case ModelRefusal.None:
            default: throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "Give it a problem.");
        }
    }

    private static ModelAnswer Tell(ApiCall call, RegisteredModel model) => new(
        model.Hash, model.State.ToString().ToLowerInvariant(), model.Layout, model.Note, model.RegisteredBy, new EventTime(model.RegisteredAt).ToString(),
        model.ProposedBy, model.ProposedAt is { } at ? new EventTime(at).ToString() : null, call.Services.Models.Current.Faults.GetValueOrDefault(model.Hash));
}
