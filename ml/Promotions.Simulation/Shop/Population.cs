using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Events;

namespace Promotions.Simulation.Shop;

internal enum Segment : byte { Thrifty, Regular, Premium }

/// <summary>What is true of a person whatever the day.</summary>
/// <param name="RegisteredMs">Before it, nobody has seen them.</param>
/// <param name="VisitsPerDay">Purchases on an average day.</param>
/// <param name="OrderMedian">Minor units.</param>
internal readonly record struct Person(
    long Household, int HouseholdSize, Segment Segment, long RegisteredMs, double VisitsPerDay, double OrderMedian, bool BargainHunter, bool ShopsAtTills,
    bool Follower, bool Partner, int Office);

/// <summary>Where a visit comes from.</summary>
internal readonly record struct Place(string Channel, AttemptContext Context, bool Shared, bool Till);

/// <summary>Everyone, computed from the index: no person is stored.</summary>
internal sealed class Population(SimulationOptions options, EventTime start)
{
    private const int BlockSize = 6;
    private const int CarrierIpCount = 24;
    private const int TillCount = 12;

    /// <summary>The most of <see cref="VisitsPerDay"/>.</summary>
    public const double VisitsPerDayMax = 0.13;

    // Each block of six neighbours in one of these ways; the sizes add up to six.
    private static readonly int[][] s_households = [[1, 1, 1, 1, 1, 1], [1, 2, 1, 2], [2, 2, 2], [1, 3, 2], [4, 2], [5, 1], [2, 1, 1, 1, 1]];
    private static readonly string[] s_browsers = ["Mozilla/5.0 (iPhone) Safari", "Mozilla/5.0 (Windows) Chrome", "Mozilla/5.0 (Android) Chrome", "Mozilla/5.0 (Macintosh) Firefox"];

    private readonly ulong _seed = options.Seed;
    private readonly long _startMs = start.UnixMilliseconds;

    public int Mailed { get; } = Math.Min(options.MailedCustomers ?? options.Customers, options.Customers);

    public string CustomerId(int index) => string.Create(CultureInfo.InvariantCulture, $"{options.IdPrefix}c-{index:000000}");

    public CustomerRef Reference(int index) => new(CustomerId(index), new EventTime(RegisteredMs(index)));

    /// <summary>Seven of eight members were there before; the others come over the first 120 days, a fifth of them in the burst behind the influencer's code.</summary>
    public long RegisteredMs(int index)
    {
        var draws = Draws.For(_seed, Purpose.Registration, index);
        if (!IsNewcomer(index)) return _startMs - (long)(draws.Unit() * 900 * ShopCalendar.DayMs);
        return IsFollower(index)
            ? _startMs + (long)((ShopCampaigns.InfluencerDay + (-2 * Math.Log(1 - draws.Unit()))) * ShopCalendar.DayMs)
            : _startMs + (long)(draws.Unit() * 120 * ShopCalendar.DayMs);
    }

    /// <summary>Registers while the simulation runs.</summary>
    public bool IsNewcomer(int index) => index < options.Customers && Draws.Unit(Draws.Key(_seed, Purpose.Registration, index, 1)) >= 0.875;

    private bool IsFollower(int index) => Draws.Unit(Draws.Key(_seed, Purpose.Registration, index, 2)) < (IsNewcomer(index) ? 0.2 : 0.01);

    /// <summary>Purchases on an average day, alone: the plan of a day asks it of everyone.</summary>
    public double VisitsPerDay(int index)
    {
        var key = Draws.Key(_seed, Purpose.Person, index);
        var unit = Draws.Unit(key);
        return unit < 0.35 ? 0.025 : unit < 0.80 ? 0.06 : 0.13;
    }

    public Person Of(int index)
    {
        var visits = VisitsPerDay(index);
        var draws = Draws.For(_seed, Purpose.Person, index, 1);
        var segmentAt = draws.Unit();
        var segment = segmentAt < 0.35 ? Segment.Thrifty : segmentAt < 0.85 ? Segment.Regular : Segment.Premium;
        var median = segment switch { Segment.Thrifty => 2_900, Segment.Regular => 5_200, _ => 9_800 } * draws.LogNormal(1, 0.2);
        var (household, size) = Household(index);
        var tills = draws.Chance(0.2);
        var hunter = draws.Chance(segment is Segment.Thrifty ? 0.16 : 0.04);
        var office = draws.Chance(0.15) ? 1 + draws.Below(Math.Max(4, options.Customers / 250)) : 0;
        var partner = draws.Chance(0.015) && index < Mailed;
        return new(household, size, segment, RegisteredMs(index), visits, median, hunter, tills, IsFollower(index), partner, office);
    }

    /// <summary>The household's number (the index of its first member) and size.</summary>
    public (long First, int Size) Household(int index)
    {
        if (options.OnePerHousehold) return (index, 1);
        var block = index / BlockSize;
        var sizes = s_households[Draws.For(_seed, Purpose.Household, block).Below(s_households.Length)];
        var first = block * BlockSize;
        foreach (var size in sizes)
        {
            if (index < first + size) return (first, size);
            first += size;
        }

        throw new InvalidOperationException("A block's households do not cover it.");
    }

    public Place PlaceOf(int index, in Person person, long atMs, ref Draws draws)
    {
        if (person.ShopsAtTills && draws.Chance(0.7))
        {
            var till = 1 + draws.Below(TillCount);
            var name = till.ToString("00", CultureInfo.InvariantCulture);
            return new($"pos-{name}", new($"{options.IdPrefix}till-{name}", $"198.51.100.{till}", null, draws.Chance(0.8) ? Own("pay", index, 0) : null, null, null), true, true);
        }

        var home = Draws.For(_seed, Purpose.Household, person.Household, 7);
        var sharesPayment = home.Chance(0.4);
        var sharesTablet = home.Chance(0.5) && person.HouseholdSize > 1;
        var device = sharesTablet && draws.Chance(0.45) ? Own("tablet", person.Household, 0) : Own("dev", index, draws.Chance(0.3) ? 1 : 0);
        var hour = atMs % ShopCalendar.DayMs / ShopCalendar.HourMs;
        var atWork = person.Office > 0 && hour is >= 8 and < 17 && ShopCalendar.IsWorkday(atMs);
        var mobile = !atWork && draws.Chance(0.3);
        var ip = atWork ? $"203.0.113.{1 + (person.Office % 250)}" : mobile ? $"100.66.{draws.Below(3)}.{1 + draws.Below(CarrierIpCount / 3)}" : HomeIp(person.Household);
        var pay = Own("pay", person.HouseholdSize > 1 && sharesPayment ? person.Household : index, person.HouseholdSize > 1 && sharesPayment ? 9 : 0);
        return new(
            mobile ? "app" : "web-de",
            new(draws.Chance(0.04) ? null : device, ip, s_browsers[index % s_browsers.Length], draws.Chance(0.1) ? null : pay, Own("adr", person.Household, 0), null),
            atWork || mobile, false);
    }

    private string HomeIp(long household)
    {
        var key = Draws.Key(_seed, Purpose.Household, household, 3);
        return string.Create(CultureInfo.InvariantCulture, $"{78 + (key % 12)}.{(key >> 8) % 256}.{(key >> 16) % 256}.{1 + ((key >> 24) % 254)}");
    }

    private string Own(string what, long of, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{options.IdPrefix}{what}-{Draws.Key(_seed, Purpose.Person, of, 100 + number) >> 24:x10}");
}
