using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Processing.Decisions;

/// <summary>A share of what the model alone would block passes, so that somebody learns what it was: a model that blocks everything it suspects is never told that it was wrong.</summary>
/// <remarks>
/// Never where a hard rule or an account's standing says no. Who passes is drawn by a keyed hash of everything that the attempt names (customer, device, network, payment method, address) and of its week, so the same
/// visitor gets the same answer all week, however often it tries. With k things named, each draws with chance share^(1/k) and all must win: the chance to pass is the share whatever is named, and one who changes
/// accounts and keeps the device has lost for the week if the device has. One who changes everything each time is a new visitor each time, to this as to everything that counts.
/// </remarks>
/// <param name="Share">The chance to pass: above 0, at most <see cref="ShareMax"/>.</param>
/// <param name="ValuePerDayMax">What may be given away so in a UTC day and currency. Minor units; the ledger keeps it.</param>
/// <param name="Salt">Keys the hash. Whoever has it can tell which devices will pass this week.</param>
public sealed record LetThrough(double Share, long ValuePerDayMax, string Salt)
{
    public const double ShareMax = 0.2;

    private const long WeekMs = 7L * 24 * 60 * 60 * 1000;
    private const long FirstMondayMs = 4L * 24 * 60 * 60 * 1000;      // 1970-01-05, UTC
    private const int EntitiesMax = 5;

    /// <param name="goodsShare">Of what is paid for the order, what is lost as well where abuse succeeds, 0 to 1.</param>
    internal LetThroughDraw Draw(AttemptEntities entities, EventTime at, PricedCart priced, double goodsShare)
    {
        Span<ulong> hashes = stackalloc ulong[EntitiesMax];
        var named = 0;
        var week = Math.DivRem(at.UnixMilliseconds - FirstMondayMs, WeekMs, out var rest) - (rest < 0 ? 1 : 0);
        Add(hashes, ref named, week, "customer", entities.Customer);
        Add(hashes, ref named, week, "device", entities.Device);
        Add(hashes, ref named, week, "network", entities.Network ?? entities.Ip);
        Add(hashes, ref named, week, "payment_token", entities.PaymentToken);
        Add(hashes, ref named, week, "address", entities.Address);
        var chance = Math.Pow(Share, 1.0 / named);
        var drawn = true;
        foreach (var hash in hashes[..named]) drawn &= (hash >> 11) / (double)(1UL << 53) < chance;      // 53 bits: a double in [0, 1)
        return new(Share, drawn, ValueOf(priced, goodsShare), ValuePerDayMax);
    }

    /// <summary>What the shop gives away if it was abuse: the discount, balances that pay, and its share of the goods that are paid for. Rounded up, so that the day's value is not passed by fractions.</summary>
    private static long ValueOf(PricedCart priced, double goodsShare) =>
        checked(priced.Discount + (priced.Total - priced.Due) + (long)Math.Ceiling(Math.Max(0, priced.Due) * goodsShare));

    private void Add(Span<ulong> hashes, ref int named, long week, string kind, string? name)
    {
        if (name is null) return;
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(Salt), Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{week}|{kind}|{name}")), hash);
        hashes[named++] = BinaryPrimitives.ReadUInt64BigEndian(hash);
    }
}
