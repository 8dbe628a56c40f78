using Promotions.Api.Keys;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Domain;

namespace Promotions.Api.Accounts;

/// <summary>The dashboard's way to accounts' standings.</summary>
/// <param name="keys">Asked whether the admin's key is for every channel, as the HTTP call asks.</param>
internal sealed class AccountDesk(AccountBook book, FlagRulesStore rules, ApiKeys keys, TimeProvider time) : IAccountDesk
{
    private const int BarredMax = 100;

    public double NotifyFrom => rules.Read().NotifyFrom;

    public int ReviewsPerDay => rules.Read().ReviewsPerDay;

    public StandingAnswer Read(string customerId) => StandingIntake.Tell(book.Find(customerId), EventTime.Now(time));

    public IReadOnlyList<StandingAnswer> Barred() => [.. book.Barred(BarredMax).Select(file => StandingIntake.Tell(file, EventTime.Now(time)))];

    public async Task<DeskAnswer> PutAsync(string customerId, StandingBody body, string keyId, CancellationToken cancellationToken)
    {
        if (await keys.FindLiveAsync(keyId) is not { IsAdmin: true } key) return new("Your key is no longer an admin's.");
        if (key.Record.Channels.Count > 0) return new("An account is refused in every channel, and your key is for some.");
        if (!Identifier.IsValid(customerId)) return new("That is no customer's id.");
        var errors = new FieldErrors();
        if (StandingIntake.Read(body, EventTime.Now(time), errors) is not { } asked) return new(string.Join(" ", errors.List.Select(error => error.Detail)));
        var (_, taken) = await book.PutAsync(customerId, asked.Replaces, asked.Standing, asked.Reason, asked.Until, key.Actor, cancellationToken);
        return taken ? DeskAnswer.Done : new("Somebody changed this account meanwhile. Look at it again; nothing of yours was saved.");
    }
}
