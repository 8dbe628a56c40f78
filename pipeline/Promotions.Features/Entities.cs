using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Promotions.Domain.Events;

namespace Promotions.Features;

/// <summary>From a request to the names of its entities, and from names to keys.</summary>
public static class Entities
{
    /// <summary>Every kind, in the vector's order.</summary>
    public static readonly IReadOnlyList<EntityKind> Kinds =
        [EntityKind.Customer, EntityKind.Device, EntityKind.Ip, EntityKind.Network, EntityKind.Coupon, EntityKind.PaymentToken, EntityKind.Address];

    /// <summary>The names. An ip that is none, or has a zone, counts as absent, as does an empty name.</summary>
    public static AttemptEntities From(RedemptionRequest request)
    {
        var context = request.Context;
        var (ip, network) = Locate(context.Ip);
        return new(request.Customer.Id, NullIfEmpty(context.DeviceId), ip, network, Codes(request.Redeemables), NullIfEmpty(context.PaymentToken), NullIfEmpty(context.AddressId));
    }

    /// <summary>The ip in canonical text (an IPv4-mapped IPv6 address is the IPv4 address), and its /24 or /48; nulls where the text is no address.</summary>
    public static (string? Ip, string? Network) Locate(string? text)
    {
        if (string.IsNullOrEmpty(text)) return (null, null);
        if (IsIPv4(text)) return (text, Network24(text));
        if (!text.Contains(':') || text.Contains('%') || text.Contains('[') || !IPAddress.TryParse(text, out var address)) return (null, null);
        if (address.IsIPv4MappedToIPv6)
        {
            var four = address.MapToIPv4().ToString();
            return (four, Network24(four));
        }
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return (null, null);

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[6..].Clear();
        return (address.ToString(), new IPAddress(bytes) + "/48");
    }

    /// <summary>How many keys the attempt has: one per kind that it names, and one per code.</summary>
    public static int CountOf(AttemptEntities entities) =>
        1 + entities.Codes.Count + (entities.Device is null ? 0 : 1) + (entities.Ip is null ? 0 : 1) + (entities.Network is null ? 0 : 1)
        + (entities.PaymentToken is null ? 0 : 1) + (entities.Address is null ? 0 : 1);

    /// <summary>Keys of all that the attempt names: one per kind, and one per code.</summary>
    /// <param name="keys">Cleared, then filled in the vector's order.</param>
    public static void Keys(AttemptEntities entities, List<EntityKey> keys)
    {
        CollectionsMarshal.SetCount(keys, CountOf(entities));
        Keys(entities, CollectionsMarshal.AsSpan(keys));
    }

    /// <summary>Keys of all that the attempt names, in the vector's order; each name is hashed once.</summary>
    /// <param name="keys">At least <see cref="CountOf"/> long.</param>
    /// <returns>How many there are.</returns>
    public static int Keys(AttemptEntities entities, Span<EntityKey> keys)
    {
        var count = 0;
        keys[count++] = EntityKey.Of(EntityKind.Customer, entities.Customer);
        if (entities.Device is { } device) keys[count++] = EntityKey.Of(EntityKind.Device, device);
        if (entities.Ip is { } ip) keys[count++] = EntityKey.Of(EntityKind.Ip, ip);
        if (entities.Network is { } network) keys[count++] = EntityKey.Of(EntityKind.Network, network);
        for (var i = 0; i < entities.Codes.Count; i++) keys[count++] = EntityKey.Of(EntityKind.Coupon, entities.Codes[i]);
        if (entities.PaymentToken is { } token) keys[count++] = EntityKey.Of(EntityKind.PaymentToken, token);
        if (entities.Address is { } address) keys[count++] = EntityKey.Of(EntityKind.Address, address);
        return count;
    }

    /// <summary>The attempt's name for a kind, as reasons show it; for coupons the first code. Null when absent.</summary>
    public static string? NameOf(AttemptEntities entities, EntityKind kind) => kind switch
    {
        EntityKind.Customer => entities.Customer,
        EntityKind.Device => entities.Device,
        EntityKind.Ip => entities.Ip,
        EntityKind.Network => entities.Network,
        EntityKind.Coupon => entities.Codes.Count > 0 ? entities.Codes[0] : null,
        EntityKind.PaymentToken => entities.PaymentToken,
        EntityKind.Address => entities.Address,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static string Network24(string ip) => string.Concat(ip.AsSpan(0, ip.LastIndexOf('.')), ".0/24");

    /// <summary>Four decimal parts without leading zeros: stricter than IPAddress, to which "1" and "0x7f.1" are addresses.</summary>
    private static bool IsIPv4(string text)
    {
        int parts = 1, value = -1;
        foreach (var c in text)
        {
            if (c == '.')
            {
                if (value < 0 || ++parts > 4) return false;
                value = -1;
            }
            else if (!char.IsAsciiDigit(c) || value == 0) return false;
            else if ((value = Math.Max(value, 0) * 10 + (c - '0')) > 255) return false;
        }
        return parts == 4 && value >= 0;
    }

    private static string[] Codes(IReadOnlyList<Redeemable> redeemables)
    {
        string? first = null;
        List<string>? codes = null;
        for (var i = 0; i < redeemables.Count; i++)
        {
            var code = redeemables[i].Code;
            if (redeemables[i].Type != RedeemableType.Coupon || string.IsNullOrEmpty(code)) continue;
            if (first is null) first = code;
            else if (code != first && codes?.Contains(code) != true) (codes ??= [first]).Add(code);
        }
        return codes is not null ? [.. codes] : first is null ? [] : [first];
    }
}
