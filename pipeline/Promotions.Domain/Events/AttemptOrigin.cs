namespace Promotions.Domain.Events;

/// <summary>What lists say of an ip. A list that was not given says neither.</summary>
[Flags]
public enum IpFlags : byte { None = 0, HostingKnown = 1, Hosting = 2, TorKnown = 4, Tor = 8 }

/// <summary>The countries of one attempt, looked up once where it entered and recorded with it: a later database changes no decision and no replay. <c>default</c> where nothing is known.</summary>
/// <param name="Ip">Where the ip's range is registered: by the caller, or by the database of the process that took the request in.</param>
/// <param name="Account">As the caller says.</param>
/// <param name="Shipping">As the caller says.</param>
public readonly record struct AttemptOrigin(Country Ip, Country Account, Country Shipping, IpFlags Flags)
{
    private const int Bits = 16;
    private const long Mask = (1 << Bits) - 1;

    /// <summary>All of it in one number; 0 for <c>default</c>.</summary>
    public long Packed => Ip.Number | ((long)Account.Number << Bits) | ((long)Shipping.Number << (2 * Bits)) | ((long)Flags << (3 * Bits));

    /// <summary>False where no origin packs so: the number was damaged.</summary>
    public static bool TryUnpack(long packed, out AttemptOrigin origin)
    {
        var (ip, account, shipping, flags) = ((int)(packed & Mask), (int)((packed >> Bits) & Mask), (int)((packed >> (2 * Bits)) & Mask), packed >> (3 * Bits));
        var known = ip <= Country.NumberMax && account <= Country.NumberMax && shipping <= Country.NumberMax && flags is >= 0 and <= byte.MaxValue;
        origin = known ? new(Country.FromNumber(ip), Country.FromNumber(account), Country.FromNumber(shipping), (IpFlags)flags) : default;
        return known;
    }

    /// <exception cref="ArgumentOutOfRangeException">No origin packs so.</exception>
    public static AttemptOrigin Unpack(long packed) => TryUnpack(packed, out var origin) ? origin : throw new ArgumentOutOfRangeException(nameof(packed), packed, "No origin packs so.");
}
