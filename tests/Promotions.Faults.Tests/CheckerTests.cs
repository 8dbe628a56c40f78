using Promotions.Faults.Checking;
using Promotions.Faults.Traffic;

namespace Promotions.Faults.Tests;

/// <summary>A check that cannot fail is a defect: each is given a record with one thing wrong, and has to say which.</summary>
public class CheckerTests
{
    private static readonly Call s_redeem = Shop.Redeem("r-1", "anna", Shop.Coupon("ONE")) with { Code = "ONE", Customer = "" };

    [Fact]
    public void A_record_that_is_as_it_was_promised_has_no_breach()
    {
        var journal = Told((s_redeem, Approved("r-1")), (Shop.Capture("r-1"), Approved("r-1", hold: "captured")), (Shop.Deposit("d-1", "bob", 100), new(200, """{"id":"d-1","position":7}""")));
        Assert.Empty(Check(journal, Facts()));
    }

    [Fact]
    public void An_acknowledged_redemption_that_the_ledger_does_not_have_is_lost() =>
        Single(BreachKind.Lost, Check(Told((s_redeem, Approved("r-1"))), Facts() with { Decisions = new Dictionary<string, DecisionFact>() }));

    [Fact]
    public void An_acknowledged_deposit_that_the_ledger_does_not_have_is_lost()
    {
        var breaches = Check(
            Told((Shop.Deposit("d-1", "bob", 100), new(200, """{"id":"d-1","position":7}"""))),
            Facts() with { Entries = new Dictionary<string, long>(), Balances = new Dictionary<(string, string), BalanceFact>() });
        Assert.All(breaches, breach => Assert.Equal(BreachKind.Lost, breach.Kind));
        Assert.Equal(2, breaches.Count);     // the entry, and the money
    }

    [Fact]
    public void A_capture_that_was_acknowledged_and_did_not_stay_is_lost()
    {
        var facts = Facts() with { Decisions = new Dictionary<string, DecisionFact> { ["r-1"] = new(1, 1, Hold: 1, 1) } };
        Single(BreachKind.Lost, Check(Told((s_redeem, Approved("r-1")), (Shop.Capture("r-1"), Approved("r-1", hold: "captured"))), facts));
    }

    [Fact]
    public void A_retry_that_is_refused_after_an_acknowledgement_is_a_loss()
    {
        var journal = Told((s_redeem, Approved("r-1")), (s_redeem, new(404, """{"code":"unknown_redemption"}""")));
        Assert.Equal(BreachKind.Lost, Assert.Single(journal.Breaches).Kind);
    }

    [Fact]
    public void A_capture_of_an_acknowledged_redemption_that_is_not_known_is_a_loss()
    {
        var journal = Told((s_redeem, Approved("r-1")), (Shop.Capture("r-1"), new(404, """{"code":"unknown_redemption"}""")));
        Assert.Equal(BreachKind.Lost, Assert.Single(journal.Breaches).Kind);
    }

    [Theory]
    [InlineData("\"total\":1000", "\"total\":1001")]
    [InlineData("approved", "rejected")]
    [InlineData("{\"id\"", "{ \"id\"")]
    [InlineData("2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z")]
    public void An_answer_that_is_one_byte_off_in_a_retry_is_changed(string now, string then)
    {
        var journal = Told((s_redeem, Approved("r-1")), (s_redeem, new(200, Approved("r-1").Body.Replace(now, then, StringComparison.Ordinal))));
        Assert.Equal(BreachKind.Changed, Assert.Single(journal.Breaches).Kind);
    }

    [Fact]
    public void Where_the_hold_stands_may_differ_between_two_answers()
    {
        var journal = Told((s_redeem, Approved("r-1")), (s_redeem, Approved("r-1", hold: "captured")));
        Assert.Empty(journal.Breaches);
    }

    [Fact]
    public void An_answer_that_is_not_the_ledgers_is_changed() =>
        Single(BreachKind.Changed, Check(Told((s_redeem, Approved("r-1"))), Facts() with { Decisions = new Dictionary<string, DecisionFact> { ["r-1"] = new(1, Status: 2, 1, 1) } }));

    [Fact]
    public void An_id_that_is_accepted_with_another_content_is_doubled()
    {
        var journal = Told((s_redeem, Approved("r-1")));
        journal.AnsweredOtherwise(s_redeem, new(422, """{"code":"same_id_different_content"}"""));
        Assert.Empty(journal.Breaches);
        journal.AnsweredOtherwise(s_redeem, Approved("r-1"));
        Assert.Equal(BreachKind.Doubled, Assert.Single(journal.Breaches).Kind);
    }

    [Fact]
    public void A_single_use_code_that_was_granted_twice_is_doubled_by_the_answers_alone()
    {
        var second = Shop.Redeem("r-2", "bert", Shop.Coupon("ONE")) with { Code = "ONE", Customer = "" };
        var facts = Facts() with { Decisions = new Dictionary<string, DecisionFact> { ["r-1"] = new(1, 1, 2, 1), ["r-2"] = new(1, 1, 1, 1) } };
        Single(BreachKind.Doubled, Check(Told((s_redeem, Approved("r-1")), (second, Approved("r-2"))), facts));
    }

    [Fact]
    public void A_single_use_code_that_the_ledger_counts_twice_is_doubled_whatever_was_answered() =>
        Single(BreachKind.Doubled, Check(new(), Facts() with { Codes = new Dictionary<string, BalanceFact> { ["ONE"] = new(-1, 1, 1) } }));

    [Theory]
    [InlineData(2, 1, 1)]     // decided twice
    [InlineData(1, 2, 1)]     // two leaves
    [InlineData(1, 1, 2)]     // two entries
    public void A_redemption_that_was_booked_twice_is_doubled(int decisions, int leaves, int entries)
    {
        var facts = Facts() with { Decisions = new Dictionary<string, DecisionFact> { ["r-1"] = new(decisions, 1, 2, leaves) }, Entries = new Dictionary<string, long> { ["r-1"] = entries } };
        Single(BreachKind.Doubled, Check(Told((s_redeem, Approved("r-1"))), facts));
    }

    [Fact]
    public void A_decision_without_a_leaf_is_lost_to_the_auditors() =>
        Single(BreachKind.Lost, Check(new(), Facts() with { Decisions = new Dictionary<string, DecisionFact> { ["r-1"] = new(1, 1, 2, Leaves: 0) } }));

    [Fact]
    public void A_budget_that_is_exceeded_is_doubled()
    {
        var calls = Enumerable.Range(0, 3).Select(n => (Shop.Redeem($"b-{n}", "anna", Shop.Coupon("budget")) with { Customer = "" }, Approved($"b-{n}"))).ToArray();
        var facts = Facts() with
        {
            Decisions = calls.ToDictionary(c => c.Item1.Id, _ => new DecisionFact(1, 1, 1, 1)),
            Budgets = new Dictionary<string, BalanceFact> { ["budget"] = new(0, 1_500, 0) },
        };
        Assert.Empty(Check(Told(calls), facts, ("budget", 1_500)));
        Assert.All(Check(Told(calls), facts, ("budget", 1_499)), breach => Assert.Equal(BreachKind.Doubled, breach.Kind));
        Assert.NotEmpty(Check(Told(calls), facts, ("budget", 1_499)));
        // The ledger took more than it granted.
        Single(BreachKind.Doubled, Check(Told(calls), facts with { Budgets = new Dictionary<string, BalanceFact> { ["budget"] = new(0, 1_500, 500) } }, ("budget", 5_000)));
    }

    [Theory]
    [InlineData(50, false)]
    [InlineData(150, true)]
    public void A_balance_that_is_not_what_the_answers_add_up_to_is_a_breach(long free, bool isDoubled)
    {
        var journal = Told((Shop.Deposit("d-1", "bob", 100), new(200, """{"id":"d-1","position":7}""")));
        Single(isDoubled ? BreachKind.Doubled : BreachKind.Lost, Check(journal, Facts() with { Balances = new Dictionary<(string, string), BalanceFact> { [("bob", "cash")] = new(free, 0, 0) } }));
    }

    [Fact]
    public void Spending_moves_a_balance_by_what_is_held_and_captured()
    {
        var spend = Shop.Redeem("s-1", "bob", Shop.Cash(30)) with { Segment = "cash", Amount = 30 };
        var journal = Told((Shop.Deposit("d-1", "bob", 100), new(200, """{"id":"d-1","position":7}""")), (spend, Approved("s-1")));
        LedgerFacts With(long free, long held) => Facts() with
        {
            Decisions = new Dictionary<string, DecisionFact> { ["s-1"] = new(1, 1, 1, 1) },
            Balances = new Dictionary<(string, string), BalanceFact> { [("bob", "cash")] = new(free, held, 0) },
        };
        Assert.Empty(Check(journal, With(70, 30)));
        Single(BreachKind.Doubled, Check(journal, With(100, 30)));
        Single(BreachKind.Lost, Check(journal, With(40, 30)));      // taken twice
    }

    [Fact]
    public void Calls_without_an_answer_stay_open()
    {
        var journal = new Journal();
        journal.Asked(s_redeem);
        Assert.Equal(s_redeem, Assert.Single(journal.Open));
        journal.Answered(s_redeem, Approved("r-1"), 0);
        Assert.Empty(journal.Open);
    }

    private static Journal Told(params (Call Call, Reply Reply)[] told)
    {
        var journal = new Journal();
        foreach (var (call, reply) in told)
        {
            journal.Asked(call);
            journal.Answered(call, reply, 0);
        }

        return journal;
    }

    private static List<Breach> Check(Journal journal, LedgerFacts facts, params (string, long)[] budgets)
    {
        Assert.Empty(journal.Breaches);
        return [.. Audit.Check(journal, facts, budgets.ToDictionary(b => b.Item1, b => b.Item2))];
    }

    private static void Single(BreachKind kind, List<Breach> breaches) => Assert.Equal(kind, Assert.Single(breaches).Kind);

    private static Reply Approved(string id, string hold = "held") => new(200,
        $$$"""{"id":"{{{id}}}","status":"approved","order":{"discount":{"amount":500,"currency":"EUR"},"total":1000},"hold":{"state":"{{{hold}}}","expires_at":"2026-11-23T12:00:00Z"}}""");

    /// <summary>r-1 was approved with code ONE and captured; bob has 100.</summary>
    private static LedgerFacts Facts() => new()
    {
        Decisions = new Dictionary<string, DecisionFact> { ["r-1"] = new(1, 1, 2, 1) },
        Entries = new Dictionary<string, long> { ["r-1"] = 1, ["d-1"] = 1 },
        Codes = new Dictionary<string, BalanceFact> { ["ONE"] = new(0, 0, 1) },
        Budgets = new Dictionary<string, BalanceFact>(),
        Balances = new Dictionary<(string, string), BalanceFact> { [("bob", "cash")] = new(100, 0, 0) },
    };
}
