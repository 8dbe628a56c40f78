using System.IO.Hashing;
using System.Runtime.InteropServices;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;

namespace Promotions.Features;

/// <summary>Fills and compares vectors: float32 in the registry's order, NaN where a part is absent or late.</summary>
public static class FeatureVector
{
    /// <summary>Nothing known yet: every value NaN.</summary>
    public static void Clear(Span<float> vector) => vector.Fill(float.NaN);

    /// <summary>The vector's part for one entity kind; of None: the request's.</summary>
    public static Span<float> Part(Span<float> vector, EntityKind entity)
    {
        var block = FeatureRegistry.Block(entity);
        return vector.Slice(block.Offset, block.Length);
    }

    /// <summary>Puts an entity's part in; where one of the kind is in already (a request may name several codes), the more telling value of each stays.</summary>
    public static void Put(Span<float> vector, EntityKind entity, ReadOnlySpan<float> part)
    {
        var block = FeatureRegistry.Block(entity);
        for (var i = 0; i < block.Length; i++)
        {
            ref var value = ref vector[block.Offset + i];
            var other = part[i];
            if (float.IsNaN(other)) continue;
            var smallest = FeatureRegistry.Features[block.Offset + i].Combine == Combine.Smallest;
            if (float.IsNaN(value) || (smallest ? other < value : other > value)) value = other;
        }
    }

    /// <summary>Fills the request's own features from the priced request.</summary>
    public static void PutRequest(Span<float> vector, RedemptionRequest request, PricedCart priced)
    {
        var part = Part(vector, EntityKind.None);
        var lines = request.Cart.Lines;
        long subtotal = priced.Subtotal, quantity = 0, tender = 0;
        var unknown = 0;
        for (var i = 0; i < lines.Count; i++) quantity += lines[i].Quantity;
        for (var i = 0; i < priced.Redeemables.Count; i++)
            if (priced.Redeemables[i].UnknownCode) unknown++;
        tender = checked(priced.Total - priced.Due);

        var at = request.At.UnixMilliseconds;
        var next = 0;
        part[next++] = subtotal;
        part[next++] = priced.Discount;
        part[next++] = Share(priced.Discount, subtotal);
        part[next++] = Share(tender, subtotal);
        part[next++] = lines.Count;
        part[next++] = quantity;
        part[next++] = request.Redeemables.Count;
        part[next++] = unknown;
        part[next++] = request.Kind == AttemptKind.Validation ? 1 : 0;
        part[next++] = request.Customer.RegisteredAt is { } registered ? Math.Max(0, at - registered.UnixMilliseconds) : float.NaN;
        part[next++] = (int)(FloorMod(at, Windows.OneDay) / Windows.OneHour);
        part[next++] = (int)FloorMod(FloorDiv(at, Windows.OneDay) + 4, 7); // 1970-01-01 was a Thursday
        var origin = request.Origin;
        part[next++] = Differ(origin.Ip, origin.Account);
        part[next++] = Differ(origin.Ip, origin.Shipping);
        part[next++] = Differ(origin.Account, origin.Shipping);
        part[next++] = Flag(origin.Flags, IpFlags.HostingKnown, IpFlags.Hosting);
        part[next++] = Flag(origin.Flags, IpFlags.TorKnown, IpFlags.Tor);
        if (next != part.Length) throw new InvalidOperationException("The catalogue lists other request features than are filled.");
    }

    /// <summary>XxHash64 of the bits: equal for equal vectors, NaNs included.</summary>
    public static ulong Hash(ReadOnlySpan<float> vector) => XxHash64.HashToUInt64(MemoryMarshal.AsBytes(vector));

    private static float Differ(Country one, Country other) => one.IsKnown && other.IsKnown ? (one == other ? 0 : 1) : float.NaN;
    private static float Flag(IpFlags flags, IpFlags known, IpFlags set) => (flags & known) == 0 ? float.NaN : (flags & set) != 0 ? 1 : 0;
    private static float Share(long part, long whole) => whole == 0 ? 0 : (float)((double)part / whole);
    private static long FloorDiv(long value, long by) => (value - FloorMod(value, by)) / by;
    private static long FloorMod(long value, long by) => ((value % by) + by) % by;
}
