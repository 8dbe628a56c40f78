using System.Runtime.CompilerServices;

namespace Promotions.Simulation;

/// <summary>Random numbers that a key names (SplitMix64): who draws them, when and how often elsewhere changes nothing.</summary>
/// <remarks>Therefore two worlds that differ in one customer's treatment agree in everything else, and a population of millions needs no memory.</remarks>
internal struct Draws(ulong key)
{
    private ulong _state = key;

    /// <summary>One draw's key from what it is for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Key(ulong seed, Purpose purpose, long one, long two = 0)
    {
        unchecked
        {
            var key = Mix(seed + (0x9E3779B97F4A7C15UL * ((ulong)purpose + 1)));
            key = Mix(key ^ ((ulong)one * 0xD1B54A32D192ED03UL));
            return Mix(key + ((ulong)two * 0x8CB92BA72F3D8DD7UL));
        }
    }

    /// <summary>One of many keys below a key, by a single round: for loops over everyone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Below(ulong key, int one)
    {
        unchecked
        {
            return Mix(key ^ ((ulong)(one + 1) * 0x9E3779B97F4A7C15UL));
        }
    }

    public static Draws For(ulong seed, Purpose purpose, long one, long two = 0) => new(Key(seed, purpose, one, two));

    /// <summary>0 to 1, 1 excluded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Unit(ulong key) => (key >> 11) * (1.0 / (1UL << 53));

    public ulong Next()
    {
        unchecked
        {
            _state += 0x9E3779B97F4A7C15UL;
            return Mix(_state);
        }
    }

    public double Unit() => Unit(Next());

    public bool Chance(double probability) => Unit() < probability;

    /// <summary>0 to <paramref name="exclusiveMax"/> − 1.</summary>
    public int Below(int exclusiveMax) => (int)(Unit() * exclusiveMax);

    /// <summary>Both ends included.</summary>
    public long Between(long min, long max) => min + (long)(Unit() * (max - min + 1));

    public double Between(double min, double max) => min + (Unit() * (max - min));

    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - Unit())) * Math.Cos(2 * Math.PI * Unit());

    public double LogNormal(double median, double sigma) => median * Math.Exp(sigma * Normal());

    /// <summary>Knuth's, for small means; beyond 30 the rounded normal.</summary>
    public int Poisson(double mean)
    {
        if (mean > 30) return (int)Math.Max(0, Math.Round(mean + (Math.Sqrt(mean) * Normal())));
        var limit = Math.Exp(-mean);
        var count = 0;
        for (var product = Unit(); product > limit; product *= Unit()) count++;
        return count;
    }

    private static ulong Mix(ulong z)
    {
        unchecked
        {
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return z ^ (z >> 31);
        }
    }
}

/// <summary>What a draw is for, so that no two uses share a number.</summary>
internal enum Purpose
{
    Household, Person, Registration, Visits, Visit, Settle, Return, Mailing, GiftCode, Ring, RingAccount, RingAttempt, RingStart, Label, Product,
    RecordedTime, RecordedCart,
}
