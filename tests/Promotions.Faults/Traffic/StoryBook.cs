using System.Globalization;

namespace Promotions.Faults.Traffic;

/// <summary>What one shopper does, in order.</summary>
/// <param name="Before">What puts the balance there that is to be spent; may be null.</param>
/// <param name="SentTwice">The same request goes out twice at once, as from a checkout that lost patience.</param>
/// <param name="Conflicting">The id once more with another content, after the answer; may be null.</param>
/// <param name="After">Capture or void, order and return: sent where the redemption was approved, each after the answer to the one before.</param>
/// <param name="AskedAgain">Every acknowledged call of the story is sent once more at its end.</param>
internal sealed record Story(Call? Before, Call Redeem, bool SentTwice, Call? Conflicting, IReadOnlyList<Call> After, bool AskedAgain);

/// <summary>Seeded traffic: story n of a book is always the same. Pure.</summary>
/// <param name="name">Before every id, so that books do not meet; of the letters of an id.</param>
internal sealed class StoryBook(string name, int seed)
{
    /// <summary>Shoppers who share a balance: their redemptions compete for it.</summary>
    private const int Wallets = 24;

    /// <summary>Stories that want the same single-use code. They come one after another, and so from several callers at once.</summary>
    private const int RivalsPerCode = 3;
    public const int CodeCount = 1_000;

    /// <summary>How many redemptions the shared budget is enough for: a few seconds' worth, so that its end is met by many at once.</summary>
    public const int BudgetRedemptions = 60;

    public string Name => name;
    public string Budget => "budget-" + name;
    public string Code(int number) => string.Create(CultureInfo.InvariantCulture, $"{name}-CODE-{number}").ToUpperInvariant();

    public Story Tell(int number)
    {
        var random = new Random(unchecked((seed * 1_000_003) ^ number));
        var id = string.Create(CultureInfo.InvariantCulture, $"{name}-{number}");
        var own = "c-" + id;
        var wallet = string.Create(CultureInfo.InvariantCulture, $"w-{name}-{number % Wallets}");
        var (before, redeem, mayVoid) = (number % 6) switch
        {
            0 or 1 => Coupon(id, own, Code(number / 6 / RivalsPerCode % CodeCount)),
            2 => (null, Shop.Redeem(id, own, Shop.Coupon(Budget)) with { Customer = "" }, true),
            3 => (Shop.Deposit("dep-" + id, wallet, 200 + random.Next(300)), Shop.Redeem(id, wallet, Shop.Cash(350)) with { Segment = "cash", Amount = 350 }, true),
            4 => (Shop.Grant("pts-" + id, wallet, 20 + random.Next(40)), Shop.Redeem(id, wallet, Shop.Points(45)) with { Segment = "points", Amount = 45 }, true),
            _ => ((Call?)null, Shop.Redeem(id, own, Shop.Coupon(Shop.Ten)) with { Customer = "" }, true),
        };
        var conflicting = random.Next(6) == 0 ? Shop.Redeem(id, redeem.Customer.Length > 0 ? redeem.Customer : own, Shop.Coupon(Shop.Ten), quantity: 7) : null;
        return new(before, redeem, random.Next(5) == 0, conflicting, Ending(id, own, number, mayVoid, random), random.Next(3) == 0);
    }

    /// <summary>Codes are never given back: then two approvals of one are two uses, whatever happened between them.</summary>
    private static (Call? Before, Call Redeem, bool MayVoid) Coupon(string id, string customer, string code) =>
        (null, Shop.Redeem(id, customer, Shop.Coupon(code)) with { Customer = "", Code = code }, false);

    private static List<Call> Ending(string id, string own, int number, bool mayVoid, Random random)
    {
        var kind = random.Next(10);
        if (kind < 2) return [];
        if (kind < 4 && mayVoid) return [Shop.Void(id)];
        var calls = new List<Call> { Shop.Capture(id) };
        // Orders earn points, so they are of customers whose balances nobody counts.
        if (number % 6 is 2 or 5 && kind < 8)
        {
            calls.Add(Shop.Order("so-" + id, own, id));
            if (kind < 6) calls.Add(Shop.Return("ret-" + id, "so-" + id, own, 100 + random.Next(2_000)));
        }

        return calls;
    }
}
