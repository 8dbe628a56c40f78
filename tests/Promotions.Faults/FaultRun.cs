using System.Diagnostics;
using System.Globalization;
using Promotions.Faults.Checking;
using Promotions.Faults.Report;
using Promotions.Faults.Scenarios;
using Promotions.Faults.Set;
using Promotions.Faults.Traffic;

namespace Promotions.Faults;

/// <summary>Scenario after scenario on one set, whose ledger grows: each has traffic of its own, and is judged when it is over.</summary>
internal sealed class FaultRun(ScaledSet set, FaultOptions options, Action<string> say)
{
    /// <summary>First answers before the fault, and after it: the set was well, and is well again.</summary>
    private const int DecisionsToSee = 40;

    /// <summary>Far more than any recovery takes: what has no answer by then has none.</summary>
    private static readonly TimeSpan RecoverWithin = TimeSpan.FromMinutes(4);

    private readonly LedgerReading _ledger = new(set.Postgres.Owner);

    /// <summary>Once, before the first scenario.</summary>
    public async Task OpenShopAsync(CancellationToken cancellationToken)
    {
        using var checkout = await CheckoutAsync(new(), cancellationToken);
        await checkout.PrepareAsync("/v1/campaigns", Shop.TenCampaign, cancellationToken);
        await checkout.PrepareAsync("/v1/campaigns", Shop.SingleCampaign, cancellationToken);
    }

    public async Task<ScenarioRow> RunAsync(Scenario scenario, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var startedAgain = set.StartedAgain;
        var journal = new Journal();
        using var checkout = await CheckoutAsync(journal, cancellationToken);
        var book = new StoryBook(scenario.Name, options.Seed);
        await checkout.PrepareAsync("/v1/campaigns", Shop.BudgetCampaign(book.Budget, StoryBook.BudgetRedemptions), cancellationToken);
        await checkout.PrepareAsync($"/v1/campaigns/{Shop.Single}/codes", Shop.Codes("codes-" + book.Name, Enumerable.Range(0, StoryBook.CodeCount).Select(book.Code)), cancellationToken);

        var stage = new Stage(set, journal, checkout, _ledger, book, options.Seed, options.Stop, options.Storm, options.Races, options.Pause, say);
        await using var load = new Load(checkout, book, options.Callers, options.Rate);
        var strikes = 0;
        long first = 0, last = 0;
        try
        {
            await SeeDecisionsAsync(journal, cancellationToken);
            first = Stopwatch.GetTimestamp();
            do
            {
                await scenario.StrikeAsync(stage, strikes++, cancellationToken);
                await SeeDecisionsAsync(journal, cancellationToken);
            }
            while (Stopwatch.GetElapsedTime(first).TotalMinutes < options.Minutes);
        }
        catch (InvalidOperationException failed)
        {
            journal.Add(new(BreachKind.Stuck, failed.Message));       // a process that does not come back, for one; what was promised is still looked at
        }
        finally
        {
            last = Stopwatch.GetTimestamp();
            if (!cancellationToken.IsCancellationRequested) await set.HealAsync(cancellationToken);
            await load.StopAsync(cancellationToken.IsCancellationRequested ? TimeSpan.Zero : RecoverWithin);
        }

        await JudgeAsync(journal, checkout, book, cancellationToken);
        return new(
            scenario.Name, journal.Requests, journal.Promises.Count, strikes, journal.LongestGap(first, last), Stopwatch.GetElapsedTime(started), set.StartedAgain - startedAgain, journal.TurnedAway, stage.Notes, [.. journal.Breaches]);
    }

    private async Task<Checkout> CheckoutAsync(Journal journal, CancellationToken cancellationToken) =>
        new(set.Gateway.Address, await KeyAsync("checkout", cancellationToken), await KeyAsync("admin", cancellationToken), journal);

    private async Task<string> KeyAsync(string name, CancellationToken cancellationToken) =>
        (await File.ReadAllTextAsync(Path.Combine(set.Gateway.Data, "keys", name + ".key"), cancellationToken)).Trim();

    /// <summary>Decisions flow; where they do not, that is a breach, and the run goes on to say what else broke.</summary>
    private async Task SeeDecisionsAsync(Journal journal, CancellationToken cancellationToken)
    {
        var (from, before) = (Stopwatch.GetTimestamp(), journal.Decided);
        while (journal.Decided < before + DecisionsToSee)
        {
            if (Stopwatch.GetElapsedTime(from) > RecoverWithin)
            {
                journal.Add(new(BreachKind.Stuck, string.Create(CultureInfo.InvariantCulture, $"{journal.Decided - before} redemptions were decided within {RecoverWithin.TotalMinutes} minutes, and {DecisionsToSee} were waited for")));
                return;
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    private async Task JudgeAsync(Journal journal, Checkout checkout, StoryBook book, CancellationToken cancellationToken)
    {
        say(string.Create(CultureInfo.InvariantCulture, $"asking all {journal.Calls.Count:#,0} calls again ..."));
        foreach (var call in journal.Open) journal.Add(new(BreachKind.Stuck, $"{call.Name} has no answer"));
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        giveUp.CancelAfter(RecoverWithin);
        await Parallel.ForEachAsync(
            journal.Promises.Keys.Select(name => journal.Calls[name]), new ParallelOptions { MaxDegreeOfParallelism = options.Callers, CancellationToken = cancellationToken },
            async (call, _) =>
            {
                if (await checkout.AskAsync(call, giveUp.Token) is null) journal.Add(new(BreachKind.Lost, $"{call.Name} was acknowledged, and is not answered any more"));
            });

        // Every entry gets its place in the audit tree within moments; a leaf that never comes is a finding below.
        var from = Stopwatch.GetTimestamp();
        while (await _ledger.PendingAsync(cancellationToken) > 0 && Stopwatch.GetElapsedTime(from) < RecoverWithin) await Task.Delay(50, cancellationToken);
        var budgets = new Dictionary<string, long> { [book.Budget] = StoryBook.BudgetRedemptions * Shop.BudgetDiscount };
        foreach (var breach in Audit.Check(journal, await _ledger.ReadAsync(cancellationToken), budgets)) journal.Add(breach);
        if (await set.VerifyAsync(cancellationToken) is { } findings) journal.Add(new(BreachKind.Unsound, findings));
    }
}
