using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Promotions.Domain;
using Promotions.Domain.Events;

namespace Promotions.Simulation.Shop;

/// <summary>Contract records as a checkout would send them, with the hash of what was sent.</summary>
internal sealed class EventFactory(string apiKeyId)
{
    public RedemptionRequest Request(
        AttemptKind kind, string id, string channel, CustomerRef customer, Cart cart, IReadOnlyList<Redeemable> redeemables, AttemptContext context, EventTime at) => new(
        kind, id, channel, apiKeyId, customer, cart, redeemables, context, at, null, null, Hash($"{(int)kind}|{id}|{customer.Id}|{cart.OrderId}|{cart.Subtotal}|{redeemables[0].Code}|{redeemables.Count}"));

    public CaptureIntended Capture(string redemptionId, EventTime at) => new(at, new(redemptionId, apiKeyId, at));

    public VoidIntended Void(string redemptionId, EventTime at) => new(at, new(redemptionId, apiKeyId, "abandoned", at));

    public Ordered Order(string channel, CustomerRef customer, Cart cart, long discount, string? redemptionId, EventTime at)
    {
        var total = cart.Subtotal + cart.Shipping - discount;
        return new(at, new(cart.OrderId, channel, apiKeyId, customer, cart, total, redemptionId, at, null, Hash($"order|{cart.OrderId}|{customer.Id}|{total}|{redemptionId}")));
    }

    public static Returned Return(Ordered order, long amount, EventTime at)
    {
        var id = $"{order.Order.Id}-back";
        return new(at, new(id, order.Order.Id, order.Order.Customer.Id, amount, at, Hash($"return|{id}|{amount}")));
    }

    public Engaged Engage(string id, string channel, string customerId, string type, EventTime at) => new(at, new(id, channel, apiKeyId, customerId, type, at, Hash($"engagement|{id}|{type}")));

    public static Labelled Label(RedemptionRequest request, bool abuse, string source, EventTime at) =>
        new(at, new($"{request.Id}-label", request.Id, abuse, source, null, source == "review" ? "simulated-reviewer" : "simulated-bank", at, Entities(request)));

    public static IReadOnlyList<Redeemable> Coupons(params ReadOnlySpan<string> codes)
    {
        var redeemables = new Redeemable[codes.Length];
        for (var i = 0; i < codes.Length; i++) redeemables[i] = new(RedeemableType.Coupon, codes[i], 0);
        return redeemables;
    }

    private static AttemptEntities Entities(RedemptionRequest request)
    {
        var context = request.Context;
        var network = context.Ip is { } ip ? string.Concat(ip.AsSpan(0, ip.LastIndexOf('.')), ".0/24") : null;
        return new(request.Customer.Id, context.DeviceId, context.Ip, network, [.. request.Redeemables.Select(static one => one.Code).OfType<string>()], context.PaymentToken, context.AddressId);
    }

    private static byte[] Hash(FormattableString text) => SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString(CultureInfo.InvariantCulture)));
}
