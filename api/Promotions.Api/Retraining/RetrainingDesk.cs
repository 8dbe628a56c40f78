using Promotions.Api.Keys;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Scoring;

namespace Promotions.Api.Retraining;

/// <summary>What the HTTP calls and the dashboard say about retraining.</summary>
public sealed class RetrainingDesk(Retrainings retrainings, RetrainingStore store, ApiKeys keys, TimeProvider time) : IRetrainingDesk
{
    public const string RunsAlready = "A retraining is going on: wait for it to end.";

    public RetrainingAnswer Read() => new(
        Tell(store.Policy), retrainings.MissingBecause, retrainings.Now is { } now ? new(now.StartedAt.ToString(), now.By.Id, now.Doing) : null,
        retrainings.NextAt?.ToString(), [.. store.History.Ended.Select(Tell)]);

    public async Task<DeskAnswer> StartAsync(string keyId, CancellationToken cancellationToken)
    {
        var (key, problem) = await AllowedAsync(keyId);
        if (key is null) return new(problem);
        if (retrainings.MissingBecause is { } because) return new(because);
        return retrainings.TryStart(key.Actor) ? DeskAnswer.Done : new(RunsAlready);
    }

    public async Task<DeskAnswer> PutAsync(RetrainingPolicyBody body, string keyId, CancellationToken cancellationToken)
    {
        var (key, problem) = await AllowedAsync(keyId);
        if (key is null) return new(problem);
        var errors = new FieldErrors();
        if (Check(body, errors) is not { } policy) return new(string.Join(" ", errors.List.Select(error => $"{error.Pointer}: {error.Detail}")));
        await PutAsync(policy, key.Actor);
        return DeskAnswer.Done;
    }

    /// <summary>Where the schedule is another one than before it counts from now on.</summary>
    internal async Task<RetrainingPolicyBody> PutAsync(RetrainingPolicy policy, Actor actor)
    {
        var before = store.Policy;
        var same = before.EveryDays is not null && before.EveryDays == policy.EveryDays && before.Hour == policy.Hour;
        var set = policy with { SetAt = same ? before.SetAt : EventTime.Now(time).UnixMilliseconds };
        await store.PutAsync(set, actor);
        return Tell(set);
    }

    /// <summary>Null where something is not allowed: <paramref name="errors"/> says what.</summary>
    internal static RetrainingPolicy? Check(RetrainingPolicyBody body, FieldErrors errors)
    {
        var policy = new RetrainingPolicy(
            (int?)Contracts.Intake.Check.OptionalWhole(errors, body.EveryDays, "/every_days", 1, 365),
            (int)Contracts.Intake.Check.Whole(errors, body.Hour, "/hour", 0, 23),
            (int)Contracts.Intake.Check.Whole(errors, body.PeriodDays, "/period_days", 7, 730),
            (int)Contracts.Intake.Check.Whole(errors, body.LabelDays, "/label_days", 0, 365),
            (int)Contracts.Intake.Check.Whole(errors, body.LabelsMin, "/labels_min", 10, 1_000_000), 0);
        return errors.Any ? null : policy;
    }

    internal static RetrainingPolicyBody Tell(RetrainingPolicy policy) =>
        new() { EveryDays = policy.EveryDays, Hour = policy.Hour, PeriodDays = policy.PeriodDays, LabelDays = policy.LabelDays, LabelsMin = policy.LabelsMin };

    private static RetrainingRunAnswer Tell(RetrainingRun run) => new(
        new EventTime(run.StartedAt).ToString(), new EventTime(run.EndedAt).ToString(), run.StartedBy, run.Report.Outcome, run.Report.Message, run.Report.Candidate, run.Report.Champion, run.Report.Rows, run.Report.Abuse,
        run.Report.Comparison is { } both
            ? new(both.Rows, both.Abuse, EventTime.From(both.From).ToString(), EventTime.From(both.To).ToString(), both.ChampionKnewSome, Tell(both.Champion), Tell(both.Candidate), both.Saved, both.SavedLow, both.SavedHigh)
            : null);

    private static ModelMeasureAnswer Tell(ModelMeasure measure) => new(measure.Auc, measure.AveragePrecision, measure.CalibrationError, measure.Caught, measure.Cost);

    private async Task<(ApiKey? Key, string? Problem)> AllowedAsync(string keyId) =>
        await keys.FindLiveAsync(keyId) is not { IsAdmin: true } key ? (null, "Your key is no longer an admin's.")
        : key.Record.Channels.Count > 0 ? (null, "A model decides for every channel, and your key is for some.")
        : (key, null);
}
