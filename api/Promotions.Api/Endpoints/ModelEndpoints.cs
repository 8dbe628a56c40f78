using Promotions.Api.Http;
using Promotions.Api.Keys;
using Promotions.Api.Models;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
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
        new("compare_models", "GET", "/v1/models/comparison", Access.Admin, Tag, "Challengers beside the champion on the same live traffic", CompareAsync)
        {
            Description = "Verdicts of the last 24 hours, and what labels of the last 28 days made of them. At 400 decisions a second and above it is a sample.",
            Answers = [new(200, ContractsJson.Default.ComparisonAnswer, "As known to the process that answers.")],
            Examples = [new("/v1/models/comparison", 200)],
        },
        new("model_drift", "GET", "/v1/models/{hash}/drift", Access.Admin, Tag, "A serving model's live traffic against what it was measured on", DriftAsync)
        {
            Description = "Population stability index and Kolmogorov-Smirnov gap by feature and score over the last 24 hours, calibration against reviewers' answers of 28 days, and the alarms that hold: from 0.25, 0.20 and 0.10 "
                + "until below 0.20, 0.15 and 0.07.",
            Answers = [new(200, ContractsJson.Default.DriftAnswer, "As known to the process that answers.")],
            Problems = [ProblemKind.UnknownModel],
            Examples = [new($"/v1/models/{NoModel}/drift", 404)],
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
        call.Answer(200, call.Services.ModelDesk.Read(), ContractsJson.Default.ModelsAnswer);
        return Task.CompletedTask;
    }

    private static Task CompareAsync(ApiCall call)
    {
        call.Answer(200, call.Services.ModelDesk.Compare(), ContractsJson.Default.ComparisonAnswer);
        return Task.CompletedTask;
    }

    private static Task DriftAsync(ApiCall call)
    {
        if (call.Services.ModelDesk.Drift(call.PathValue("hash")) is { } drift) call.Answer(200, drift, ContractsJson.Default.DriftAnswer);
        else call.Refuse(ProblemKind.UnknownModel, "It does not serve here: only the champion and challengers see traffic.");
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
            if (refusal is ModelRefusal.None) call.Answer(status, call.Services.ModelDesk.Tell(model!), ContractsJson.Default.ModelAnswer);
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
            case ModelRefusal.TooManyChallengers or ModelRefusal.TooMany or ModelRefusal.WrongState: call.Refuse(ProblemKind.ModelState, ModelDesk.Sentence(refusal)); break;
            case ModelRefusal.None:
            default: throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "Give it a problem.");
        }
    }
}
