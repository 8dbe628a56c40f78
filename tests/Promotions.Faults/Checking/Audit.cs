using Promotions.Faults.Traffic;

namespace Promotions.Faults.Checking;

/// <summary>Compares what was promised with what the ledger has. Pure; to be asked when no call is open.</summary>
internal static class Audit
{
    private static readonly string[] StatusNames = ["", "approved", "review", "blocked", "rejected"];

    public static IEnumerable<Breach> Check(Journal journal, LedgerFacts facts, IReadOnlyDictionary<string, long> budgets) =>
        journal.Promises.SelectMany(promise => Kept(journal.Calls[promise.Key], promise.Value, facts))
            .Concat(Once(journal, facts)).Concat(Codes(journal, facts)).Concat(Budgets(journal, facts, budgets)).Concat(Balances(journal, facts));

    private static IEnumerable<Breach> Kept(Call call, Reply reply, LedgerFacts facts)
    {
        if (call.Kind is CallKind.Redeem or CallKind.Capture or CallKind.Void)
        {
            if (!facts.Decisions.TryGetValue(call.Id, out var decision))
            {
                yield return new(BreachKind.Lost, $"{call.Name} was acknowledged, and the ledger has no decision {call.Id}");
                yield break;
            }

            if (Answers.StatusOf(reply) is var status && StatusNames[decision.Status] != status)
                yield return new(BreachKind.Changed, $"{call.Name} was answered '{status}' and is '{StatusNames[decision.Status]}' in the ledger");
            var hold = call.Kind is CallKind.Capture ? 2 : call.Kind is CallKind.Void ? 3 : decision.Hold;
            if (decision.Hold != hold) yield return new(BreachKind.Lost, $"{call.Name} was acknowledged, and the ledger has its hold in state {decision.Hold}");
        }
        else if (facts.Entries.GetValueOrDefault(call.Id) == 0)
        {
            yield return new(BreachKind.Lost, $"{call.Name} was acknowledged, and the ledger has no entry {call.Id}");
        }
    }

    private static IEnumerable<Breach> Once(Journal journal, LedgerFacts facts)
    {
        foreach (var (id, decision) in facts.Decisions)
        {
            if (decision.Count != 1) yield return new(BreachKind.Doubled, $"{id} was decided {decision.Count} times");
            if (decision.Leaves > 1) yield return new(BreachKind.Doubled, $"{id} has {decision.Leaves} leaves");
            if (decision.Leaves < 1) yield return new(BreachKind.Lost, $"{id} has no leaf in the audit tree");
        }

        foreach (var id in journal.Calls.Values.Select(call => call.Id).Distinct())
            if (facts.Entries.GetValueOrDefault(id) is > 1 and var entries) yield return new(BreachKind.Doubled, $"{id} was booked {entries} times");
    }

    /// <summary>By the answers, and by the ledger's own accounts: either alone could be wrong.</summary>
    private static IEnumerable<Breach> Codes(Journal journal, LedgerFacts facts)
    {
        var granted = journal.Promises.Where(p => journal.Calls[p.Key] is { Kind: CallKind.Redeem, Code: not null } && Answers.IsGranted(p.Value)).GroupBy(p => journal.Calls[p.Key].Code!);
        foreach (var code in granted)
            if (code.Count() > 1) yield return new(BreachKind.Doubled, $"code {code.Key} was granted to {string.Join(", ", code.Select(p => p.Key))}");
        foreach (var (code, uses) in facts.Codes)
            if (uses.Held + uses.Used > 1) yield return new(BreachKind.Doubled, $"code {code} has {uses.Held + uses.Used} uses");
    }

    private static IEnumerable<Breach> Budgets(Journal journal, LedgerFacts facts, IReadOnlyDictionary<string, long> budgets)
    {
        foreach (var (campaign, budget) in budgets)
        {
            var promised = journal.Promises.Where(p => journal.Calls[p.Key] is { Kind: CallKind.Redeem } call && call.Body!.Contains($"\"{campaign}\"", StringComparison.Ordinal) && Stands(journal, call, p.Value))
                .Sum(p => Answers.DiscountOf(p.Value));
            if (promised > budget) yield return new(BreachKind.Doubled, $"{campaign} has a budget of {budget}, and {promised} were granted");
            if (facts.Budgets.TryGetValue(campaign, out var fact) && fact.Held + fact.Used is var taken && (taken > budget || taken != promised))
                yield return new(BreachKind.Doubled, $"{campaign} has a budget of {budget}, {promised} were granted, and {taken} are taken in the ledger");
        }
    }

    private static IEnumerable<Breach> Balances(Journal journal, LedgerFacts facts)
    {
        var expected = new Dictionary<(string, string), (long Free, long Held)>();
        foreach (var (name, reply) in journal.Promises)
        {
            var call = journal.Calls[name];
            if (call.Segment is not { } segment) continue;
            var balance = expected.GetValueOrDefault((call.Customer, segment));
            if (call.Kind is not CallKind.Redeem) balance.Free += call.Amount;
            else if (Stands(journal, call, reply))
            {
                balance.Free -= call.Amount;
                if (!journal.Promises.ContainsKey(Shop.Capture(call.Id).Name)) balance.Held += call.Amount;
            }

            expected[(call.Customer, segment)] = balance;
        }

        foreach (var (owner, (free, held)) in expected)
        {
            var fact = facts.Balances.GetValueOrDefault(owner) ?? new(0, 0, 0);
            if (fact.Free == free && fact.Held == held) continue;
            yield return new(fact.Free + fact.Held < free + held ? BreachKind.Lost : BreachKind.Doubled,
                $"{owner.Item1} has {fact.Free} {owner.Item2} free and {fact.Held} held; by the answers it should be {free} and {held}");
        }
    }

    /// <summary>Granted and not given back.</summary>
    private static bool Stands(Journal journal, Call redeem, Reply reply) => Answers.IsGranted(reply) && !journal.Promises.ContainsKey(Shop.Void(redeem.Id).Name);
}
