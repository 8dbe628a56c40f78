using Promotions.Api.Bulk;
using Promotions.Api.Keys;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Domain;
using Promotions.Processing.Costs;
using Promotions.Processing.Decisions;

namespace Promotions.Api.Policies;

/// <summary>The dashboard's way to the fraud policy.</summary>
/// <param name="keys">Asked whether the admin's key is for every channel, as the HTTP call asks.</param>
/// <param name="blocks">Null where there is no analytics store.</param>
internal sealed class PolicyDesk(FraudPolicies policies, ApiKeys keys, IFeatureCatalog features, InstallationSecret secret, TimeProvider time, IWouldBeBlocks? blocks = null) : IPolicyDesk
{
    public FraudPolicyAnswer Read() => PolicyIntake.Tell(policies.Current);

    public Task<LetThroughOutcomesAnswer> LetThroughAsync(CancellationToken cancellationToken) => blocks is null
        ? Task.FromResult(new LetThroughOutcomesAnswer(LetThroughOutcomes.DaysUsual, LetThroughOutcomes.MatureAfterDaysUsual, []))
        : LetThroughOutcomes.TellAsync(blocks, policies.Current.Policy.Costs, EventTime.Now(time), LetThroughOutcomes.DaysUsual, LetThroughOutcomes.MatureAfterDaysUsual, cancellationToken);

    public async Task<DeskAnswer> PutAsync(FraudPolicyBody body, string keyId, CancellationToken cancellationToken)
    {
        if (await keys.FindLiveAsync(keyId) is not { IsAdmin: true } key) return new("Your key is no longer an admin's.");
        if (key.Record.Channels.Count > 0) return new("The policy decides for every channel, and your key is for some.");
        await secret.EnsureAsync(cancellationToken);
        var errors = new FieldErrors();
        if (PolicyIntake.Read(body, name => features.IndexOf(name) >= 0, secret, errors) is not { } next) return new(string.Join(" ", errors.List.Select(error => $"{error.Pointer}: {error.Detail}")));
        return await policies.TryPutAsync(next, key.Actor, cancellationToken)
            ? DeskAnswer.Done
            : new("Somebody saved another policy meanwhile. Reload the page to see it; nothing of yours was saved.");
    }
}
