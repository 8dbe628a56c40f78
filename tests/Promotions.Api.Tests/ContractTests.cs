using CsCheck;
using Promotions.Api.Bulk;
using Promotions.Api.Keys;
using Promotions.Api.Limits;
using Promotions.Api.Problems;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Domain.Campaigns;
using Promotions.Ledger;

namespace Promotions.Api.Tests;

public class ContractTests
{
    [Fact]
    public void Every_refusal_has_a_problem_and_every_problem_a_status_of_its_own_code()
    {
        foreach (var refusal in Enum.GetValues<LedgerRefusal>()) Assert.Equal(refusal is LedgerRefusal.None, ProblemKinds.From(refusal) is ProblemKind.None);
        foreach (var code in Enum.GetValues<RefusalCode>()) Assert.True(Enum.IsDefined(ProblemKinds.From(code)));
        var types = new HashSet<string>();
        foreach (var kind in Enum.GetValues<ProblemKind>().Where(kind => kind is not ProblemKind.None))
        {
            var (status, title, _) = ProblemKinds.Describe(kind);
            Assert.InRange(status, 400, 507);
            Assert.NotEmpty(title);
            Assert.True(types.Add(ProblemTypes.TypeOf(kind)));
        }
    }

    [Theory]
    [InlineData("$", "")]
    [InlineData("$.order.items[0].sku", "/order/items/0/sku")]
    [InlineData("$['a.b'].c", "/a.b/c")]
    [InlineData("$['a/b~c']", "/a~1b~0c")]
    public void Paths_become_json_pointers(string path, string place) => Assert.Equal(place, StrictJson.ToPointer(path));

    [Fact]
    public void Moving_a_border_between_two_texts_changes_the_hash() =>
        Gen.Select(Gen.String, Gen.String, Gen.Int[0, 20]).Sample((left, right, cut) =>
        {
            var all = left + right;
            var at = Math.Min(cut, all.Length);
            if (at == left.Length) return;
            Assert.False(CanonicalHash.Of("x", left, right).Span.SequenceEqual(CanonicalHash.Of("x", all[..at], all[at..]).Span));
        }, iter: 500);

    [Fact]
    public void Null_is_not_empty() => Assert.False(CanonicalHash.Of("x", null, "a").Span.SequenceEqual(CanonicalHash.Of("x", "", "a").Span));

    [Fact]
    public void A_key_with_any_letter_changed_is_none_of_ours()
    {
        using var random = System.Security.Cryptography.RandomNumberGenerator.Create();
        var (id, text) = KeyText.Make(random);
        Assert.True(KeyText.TrySplit(text, out var found, out _));
        Assert.Equal(id, found.ToString());
        for (var i = 0; i < text.Length; i++)
        {
            var changed = text.ToCharArray();
            changed[i] = changed[i] == 'q' ? 'r' : 'q';
            Assert.False(KeyText.TrySplit(changed, out _, out _));
        }
    }

    [Fact]
    public void A_bucket_gives_its_burst_then_its_rate()
    {
        var bucket = new TokenBucket(10, 5);
        for (var i = 4; i >= 0; i--) Assert.Equal(new Taken(true, i, 0, 1), bucket.Take(1_000));
        Assert.False(bucket.Take(1_000).Allowed);
        Assert.False(bucket.Take(1_000 + TimeSpan.TicksPerSecond / 10 - 1).Allowed);
        Assert.True(bucket.Take(1_000 + TimeSpan.TicksPerSecond / 10).Allowed);
        Assert.Equal(4, bucket.Take(1_000 + 60 * TimeSpan.TicksPerSecond).Remaining);
    }

    [Fact]
    public void Ids_follow_from_their_parts_and_not_from_where_they_are_cut()
    {
        Assert.Equal(IdMaker.Derive("a", "b", "c"), IdMaker.Derive("a", "b", "c"));
        Assert.NotEqual(IdMaker.Derive("a", "bc", ""), IdMaker.Derive("a", "b", "c"));
        Assert.True(Domain.Identifier.IsValid(IdMaker.Derive("campaign", new string('x', 64), "1")));
    }
}
