using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Simulation.Shop;

namespace Promotions.Simulation.Abuse;

/// <summary>One group that works by one scenario: its accounts and what they share, all drawn from its number.</summary>
internal sealed class Ring
{
    private readonly ulong _seed;
    private readonly long _number;
    private readonly string _prefix;
    private readonly long? _devices;
    private readonly long? _ips;
    private readonly long? _payments;
    private readonly long? _addresses;

    public Ring(Scenario scenario, ulong seed, long number, long startsMs, string prefix)
    {
        (Scenario, _seed, _number, _prefix, StartsMs) = (scenario, seed, number, prefix, startsMs);
        var draws = Draws.For(seed, Purpose.Ring, number);
        DurationMs = (long)(scenario.DurationHours.DrawReal(ref draws) * ShopCalendar.HourMs);
        AccountCount = (int)scenario.Accounts.Draw(ref draws);
        _devices = scenario.Pools.Devices?.Draw(ref draws);
        _ips = scenario.Pools.Ips?.Draw(ref draws);
        _payments = scenario.Pools.PaymentTokens?.Draw(ref draws);
        _addresses = scenario.Pools.Addresses?.Draw(ref draws);
    }

    public Scenario Scenario { get; }
    public long StartsMs { get; }
    public long DurationMs { get; }
    public int AccountCount { get; }

    public RingAccount Account(int index)
    {
        var draws = Draws.For(_seed, Purpose.RingAccount, _number, index);
        var first = NextWorkingTime(StartsMs + (long)(draws.Unit() * DurationMs), ref draws);
        var age = (long)(Scenario.AccountAgeHours.DrawReal(ref draws) * ShopCalendar.HourMs);
        var context = new AttemptContext(
            Pick(_devices, "dev", index, ref draws), Ip(index, ref draws), "Mozilla/5.0 (Windows) Chrome", Pick(_payments, "pay", index, ref draws), Pick(_addresses, "adr", index, ref draws), null);
        return new(
            this, index, new($"{_prefix}c-{Draws.Key(_seed, Purpose.RingAccount, _number, 1_000_000 + index) >> 20:x11}", new EventTime(first - age)), context,
            Scenario.Channels[draws.Below(Scenario.Channels.Count)], first, (int)Scenario.AttemptsPerAccount.Draw(ref draws));
    }

    public Draws AttemptDraws(int account, int attempt) => Draws.For(Draws.Key(_seed, Purpose.RingAttempt, _number), Purpose.RingAttempt, account, attempt);

    public string AttemptId(int account, int attempt) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}r-{Draws.Key(_seed, Purpose.Ring, _number, 1) >> 24:x10}-{account}-{attempt}");

    public long NextWorkingTime(long atMs, ref Draws draws)
    {
        var hour = atMs % ShopCalendar.DayMs / ShopCalendar.HourMs;
        if (hour >= Scenario.HoursOfDay.Min && hour <= Scenario.HoursOfDay.Max) return atMs;
        var day = atMs - (atMs % ShopCalendar.DayMs) + (hour > Scenario.HoursOfDay.Max ? ShopCalendar.DayMs : 0);
        return day + ((long)Scenario.HoursOfDay.Min * ShopCalendar.HourMs) + draws.Between(0L, ShopCalendar.HourMs - 1);
    }

    public string DrawCode(ref Draws draws)
    {
        var codes = Scenario.Codes;
        if (codes.Source == "known" || draws.Chance(codes.HitShare)) return codes.Known[draws.Below(codes.Known.Count)];
        var text = codes.Pattern!.ToCharArray();
        for (var i = 0; i < text.Length; i++)
            text[i] = text[i] switch { '#' => (char)('0' + draws.Below(10)), '@' => (char)('A' + draws.Below(26)), var itself => itself };
        return new(text);
    }

    private string? Pick(long? pool, string what, int account, ref Draws draws)
    {
        var member = draws.Between(0L, Math.Max(1, pool ?? 1) - 1);
        return pool is 0 ? null : Name(what, pool is null ? 1_000_000 + account : member);
    }

    private string? Ip(int account, ref Draws draws)
    {
        var member = draws.Between(0L, Math.Max(1, _ips ?? 1) - 1);
        if (_ips is 0) return null;
        var key = Draws.Key(_seed, Purpose.RingAccount, _number, -1 - (_ips is null ? 1_000_000 + account : member));
        return Scenario.Pools.IpKind switch
        {
            "hosting" => string.Create(CultureInfo.InvariantCulture, $"45.{(ulong)_number % 200}.{key % 2}.{1 + ((key >> 8) % 254)}"),
            "carrier" => string.Create(CultureInfo.InvariantCulture, $"100.66.{key % 3}.{1 + ((key >> 8) % 8)}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{78 + (key % 12)}.{(key >> 8) % 256}.{(key >> 16) % 256}.{1 + ((key >> 24) % 254)}"),
        };
    }

    private string Name(string what, long member) =>
        string.Create(CultureInfo.InvariantCulture, $"{_prefix}{what}-{Draws.Key(Draws.Key(_seed, Purpose.Ring, _number, 2), Purpose.Ring, what[0], member) >> 24:x10}");
}

/// <param name="FirstMs">Of its first attempt.</param>
internal sealed record RingAccount(Ring Ring, int Index, CustomerRef Customer, AttemptContext Context, string Channel, long FirstMs, int Attempts);
