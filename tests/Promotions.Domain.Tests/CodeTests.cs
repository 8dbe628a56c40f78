using Promotions.Domain.Campaigns.Codes;

namespace Promotions.Domain.Tests;

public class CodeTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private static CodeGenerator Generator(string pattern, int tail = 2, byte[]? key = null) => new(CodePattern.Parse(pattern, tail), key ?? Key);

    [Fact]
    public void Codes_follow_the_pattern_are_distinct_and_plausible_and_the_same_for_a_seed()
    {
        var generator = Generator("SPRING-####-####");
        var codes = generator.Generate(2_000, 0, _ => false, new Random(7).Next);
        Assert.Equal(2_000, codes.Distinct().Count());
        Assert.All(codes, code =>
        {
            Assert.Matches("^SPRING-[23456789ABCDEFGHJKMNPQRSTVWXYZ]{4}-[23456789ABCDEFGHJKMNPQRSTVWXYZ]{4}$", code);
            Assert.True(generator.IsPlausible(code));
        });
        Assert.Equal(codes, generator.Generate(2_000, 0, _ => false, new Random(7).Next));
    }

    [Fact]
    public void Another_key_pattern_or_case_makes_a_code_implausible()
    {
        var code = Generator("AB-########").Generate(1, 0, _ => false, new Random(1).Next)[0];
        Assert.False(Generator("AB-########", key: [.. Key.Reverse()]).IsPlausible(code));
        Assert.False(Generator("AC-########").IsPlausible(code));
        Assert.False(Generator("AB-########").IsPlausible(code.ToLowerInvariant()));
        Assert.False(Generator("AB-########").IsPlausible(code + "2"));
        Assert.False(Generator("AB-########").IsPlausible(""));
    }

    [Fact]
    public void Typos_and_guesses_are_refused_but_for_the_share_that_the_tail_allows()
    {
        var generator = Generator("########");
        var random = new Random(3);
        int typos = 0, passed = 0;
        foreach (var code in generator.Generate(500, 0, _ => false, random.Next))
            for (var place = 0; place < code.Length; place++)
            {
                var typo = code.ToCharArray();
                typo[place] = CodePattern.Alphabet[(CodePattern.Alphabet.IndexOf(code[place], StringComparison.Ordinal) + 1 + random.Next(29)) % 30];
                typos++;
                if (generator.IsPlausible(typo)) passed++;
            }

        Assert.InRange(passed, 0, typos / 900 * 3 + 3);   // one in 900, and three times that is far outside chance
    }

    [Fact]
    public void A_code_space_is_never_used_beyond_its_share()
    {
        var generator = Generator("####");   // 900 codes with two characters free
        Assert.True(generator.HasRoomFor(90, 0));
        Assert.False(generator.HasRoomFor(90, 1));
        var error = Assert.Throws<ArgumentException>(() => generator.Generate(91, 0, _ => false, new Random(1).Next));
        Assert.Contains("900", error.Message, StringComparison.Ordinal);
        Assert.Equal(90, generator.Generate(90, 0, _ => false, new Random(1).Next).Count);
    }

    [Fact]
    public void Taken_codes_are_drawn_again_and_a_store_that_takes_all_ends_the_search()
    {
        var generator = Generator("######");
        var first = generator.Generate(50, 0, _ => false, new Random(5).Next);
        var second = generator.Generate(50, 50, new HashSet<string>(first).Contains, new Random(5).Next);
        Assert.Empty(first.Intersect(second));
        Assert.Throws<InvalidOperationException>(() => generator.Generate(1, 0, _ => true, new Random(5).Next));
    }

    [Theory]
    [InlineData("##", 2)]                    // nothing left to draw
    [InlineData("spring-####", 2)]           // codes are upper case
    [InlineData("A B-####", 2)]
    [InlineData("ÄPFEL-####", 2)]
    public void A_pattern_that_makes_no_codes_is_refused(string pattern, int tail) => Assert.Throws<ArgumentException>(() => CodePattern.Parse(pattern, tail));

    [Fact]
    public void A_short_key_is_refused() => Assert.Throws<ArgumentException>(() => new CodeGenerator(CodePattern.Parse("####"), [1, 2, 3]));
}
