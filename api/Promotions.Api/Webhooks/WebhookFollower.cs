using System.IO.Hashing;
using System.Text;
using Promotions.Api.Accounts;
using Promotions.Domain;
using Promotions.Ledger;

namespace Promotions.Api.Webhooks;

/// <summary>Sends what was committed to those who asked for it: at least once, to each endpoint in the ledger's order and from its own position, so that one that is away holds nobody else up and misses nothing.</summary>
/// <remarks>What stops an endpoint is tried again after 5 s, then ever later up to an hour, with jitter; see <see cref="WebhookOptions"/> for when it is suspended. One process at a time should do it: two would send twice.</remarks>
public sealed class WebhookFollower(WebhookBook book, WebhookSender sender, ILedgerReader ledger, FlagRulesStore rules, WebhookOptions options, TimeProvider time)
{
    private const int RowsPerRound = 200;
    private const int SavedEvery = 20;
    private static readonly TimeSpan[] Waits = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(20), TimeSpan.FromHours(1)];

    /// <summary>One round over all endpoints, side by side.</summary>
    /// <param name="notes">Where positions are kept.</param>
    /// <returns>Whether any of them has more to do at once.</returns>
    /// <exception cref="LedgerFaultException">The next round goes on from the positions that were kept.</exception>
    public async Task<bool> RoundAsync(ISettingsStore notes, CancellationToken cancellationToken)
    {
        var level = rules.Read().NotifyFrom;
        var rounds = book.List().Where(record => record.IsActive).Select(record => ServeAsync(record, level, notes, cancellationToken));
        return (await Task.WhenAll(rounds)).Contains(true);
    }

    private async Task<bool> ServeAsync(WebhookRecord record, double level, ISettingsStore notes, CancellationToken cancellationToken)
    {
        var cursor = book.CursorOf(record);
        if (cursor.NextAt is { } next && next > EventTime.Now(time).UnixMilliseconds) return false;
        var rows = ledger.ReadOutbox(cursor.Position, RowsPerRound);
        var unsaved = 0;
        foreach (var row in rows)
        {
            var sent = 0;
            foreach (var (type, body) in WebhookEvents.Of(row, record.Events, level))
            {
                var attempt = await sender.SendAsync(record, WebhookEvents.IdOf(row, type), body, cancellationToken);
                if (!attempt.IsTaken && !await GivesUpAsync(record, cursor, row, type, attempt, notes)) return false;
                if (attempt.IsTaken) sent++;
                else cursor = cursor with { GivenUp = cursor.GivenUp + 1 };
            }

            cursor = new(row.Position, DeliveredAt: sent > 0 ? EventTime.Now(time).UnixMilliseconds : cursor.DeliveredAt, Delivered: cursor.Delivered + sent, GivenUp: cursor.GivenUp);
            unsaved += 1 + (sent * RowsPerRound / SavedEvery);
            if (unsaved < RowsPerRound) continue;
            await WebhookBook.PutCursorAsync(notes, record.Id, cursor);
            unsaved = 0;
        }

        if (unsaved > 0) await WebhookBook.PutCursorAsync(notes, record.Id, cursor);
        return rows.Count == RowsPerRound;
    }

    /// <summary>Notes that it was in vain, and when it is tried again.</summary>
    /// <returns>True where this event is left out from now on.</returns>
    private async Task<bool> GivesUpAsync(WebhookRecord record, WebhookCursor cursor, OutboxEvent row, string type, WebhookAttempt attempt, ISettingsStore notes)
    {
        var now = EventTime.Now(time).UnixMilliseconds;
        var since = cursor.FailingSince ?? now;
        var failing = TimeSpan.FromMilliseconds(now - since);
        if (attempt.IsRefused && failing >= options.GiveUpAfter) return true;
        var wait = Wait(record.Id, cursor.Attempts);
        if (attempt.RetryAfter is { } asked && asked > wait) wait = asked < Waits[^1] ? asked : Waits[^1];
        // The rows before it are done: only the one that failed is tried again.
        await WebhookBook.PutCursorAsync(notes, record.Id, cursor with { Position = row.Position - 1, Attempts = cursor.Attempts + 1, FailingSince = since, NextAt = now + (long)wait.TotalMilliseconds, LastError = $"{type}: {attempt.Error}" });
        if (attempt.IsGone) await book.SuspendAsync(record, "It answered 410: it is gone.");
        else if (failing >= options.SuspendAfter) await book.SuspendAsync(record, $"It took nothing for {failing.TotalDays:0.#} days: {attempt.Error}");
        return false;
    }

    /// <summary>Three quarters to five quarters of the step's wait: endpoints that failed together do not come back together.</summary>
    private static TimeSpan Wait(string id, int attempts) =>
        Waits[Math.Min(attempts, Waits.Length - 1)] * (0.75 + (0.5 * (XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(id), attempts) >> 11) / (1UL << 53)));
}
