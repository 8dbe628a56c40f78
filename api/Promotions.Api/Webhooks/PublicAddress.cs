using System.Net;
using System.Net.Sockets;

namespace Promotions.Api.Webhooks;

/// <summary>Whether an address is somebody else's on the internet. An admin's webhook must not make this server knock at doors that only it can reach.</summary>
public static class PublicAddress
{
    /// <summary>IPv4 blocks that are not public: RFC 6890 and its updates.</summary>
    private static readonly IPNetwork[] Closed4 =
    [
        .. ((string[])["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"])
            .Select(IPNetwork.Parse),
    ];

    private static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork[] Closed6 = [.. ((string[])["2001::/23", "2001:db8::/32", "3fff::/20"]).Select(IPNetwork.Parse)];
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    public static bool Is(IPAddress address)
    {
        if (address.AddressFamily is AddressFamily.InterNetwork) return !Closed4.Any(block => block.Contains(address));
        if (address.AddressFamily is not AddressFamily.InterNetworkV6) return false;
        if (address.IsIPv4MappedToIPv6) return Is(address.MapToIPv4());
        var bytes = address.GetAddressBytes();
        if (Nat64.Contains(address)) return Is(new IPAddress(bytes.AsSpan(12, 4)));        // an IPv4 address in another coat
        if (SixToFour.Contains(address)) return Is(new IPAddress(bytes.AsSpan(2, 4)));
        return Global6.Contains(address) && !Closed6.Any(block => block.Contains(address));
    }
}
