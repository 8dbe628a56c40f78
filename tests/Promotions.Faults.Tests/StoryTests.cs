using Promotions.Faults.Traffic;

namespace Promotions.Faults.Tests;

public class StoryTests
{
    [Fact]
    public void The_same_seed_tells_the_same_stories_and_another_seed_others()
    {
        var (one, again, other) = (new StoryBook("a", 1), new StoryBook("a", 1), new StoryBook("a", 2));
        var numbers = Enumerable.Range(0, 200).ToList();
        Assert.Equal(numbers.Select(n => Text(one.Tell(n))), numbers.Select(n => Text(again.Tell(n))));
        Assert.NotEqual(numbers.Select(n => Text(one.Tell(n))), numbers.Select(n => Text(other.Tell(n))));
    }

    [Fact]
    public void Stories_rival_for_codes_and_balances_and_never_share_an_id()
    {
        var stories = Enumerable.Range(0, 600).Select(new StoryBook("a", 1).Tell).ToList();
        Assert.Contains(stories.Where(s => s.Redeem.Code is not null).GroupBy(s => s.Redeem.Code), code => code.Count() > 2);
        Assert.Contains(stories.Where(s => s.Redeem.Segment is not null).GroupBy(s => (s.Redeem.Customer, s.Redeem.Segment)), wallet => wallet.Count() > 2);
        var names = stories.SelectMany(s => s.After.Prepend(s.Redeem).Concat(s.Before is { } before ? [before] : [])).Select(c => c.Name).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());
    }

    /// <summary>What the audit counts on: two approvals of a code are two uses, since none is given back.</summary>
    [Fact]
    public void A_single_use_code_is_never_given_back() =>
        Assert.All(Enumerable.Range(0, 600).Select(new StoryBook("a", 1).Tell).Where(s => s.Redeem.Code is not null), s => Assert.DoesNotContain(s.After, call => call.Kind is CallKind.Void));

    [Fact]
    public void Every_kind_of_call_occurs()
    {
        var kinds = Enumerable.Range(0, 200).Select(new StoryBook("a", 1).Tell).SelectMany(s => s.After.Prepend(s.Redeem).Concat(s.Before is { } before ? [before] : [])).Select(c => c.Kind).Distinct();
        Assert.Equal(Enum.GetValues<CallKind>().Order(), kinds.Order());
    }

    private static string Text(Story story) => string.Join('\n', story.After.Prepend(story.Redeem).Concat(story.Before is { } before ? [before] : []).Select(c => c.Path + c.Body)) + story.SentTwice + story.AskedAgain + story.Conflicting?.Body;
}
