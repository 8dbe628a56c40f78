using System.Text.Json;
using Promotions.Contracts;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Domain.Events;

namespace Promotions.Processing.Kafka.Gateway;

/// <summary>The domain's events as the public topics carry them: what <see cref="Intake.CheckoutIntake"/> reads back, content hash included.</summary>
internal static class EventBodies
{
    public static byte[] Of(RedemptionRequest request) => JsonSerializer.SerializeToUtf8Bytes(
        new RedemptionBody
        {
            Id = request.Id,
            Channel = request.Channel,
            Customer = Customer(request.Customer, request.Origin.Account),
            Order = Order(request.Cart),
            Redeemables = [.. request.Redeemables.Select(redeemable => Redeemable(redeemable, request.Cart.Currency))],
            Context = request.Context == AttemptContext.None && request.Origin == new AttemptOrigin(default, request.Origin.Account, default, IpFlags.None) ? null : Context(request.Context, request.Origin),
            OccurredAt = request.OccurredAt?.ToString(),
        },
        ContractsJson.Default.RedemptionBody);

    public static byte[] Of(OrderPlaced order) => JsonSerializer.SerializeToUtf8Bytes(
        new OrderPlacedBody
        {
            Channel = order.Channel,
            Customer = Customer(order.Customer),
            Order = Order(order.Cart),
            Total = new(order.Total, order.Cart.Currency),
            RedemptionId = order.RedemptionId,
            OccurredAt = order.OccurredAt?.ToString(),
        },
        ContractsJson.Default.OrderPlacedBody);

    /// <param name="currency">The order's.</param>
    public static byte[] Of(OrderReturned returned, string currency) => JsonSerializer.SerializeToUtf8Bytes(
        new ReturnEventBody { Id = returned.Id, OrderId = returned.OrderId, CustomerId = returned.CustomerId, Amount = new(returned.Amount, currency) }, ContractsJson.Default.ReturnEventBody);

    public static byte[] Of(EngagementRecorded engagement) => JsonSerializer.SerializeToUtf8Bytes(
        new EngagementBody { Id = engagement.Id, Channel = engagement.Channel, CustomerId = engagement.CustomerId, Type = engagement.Type }, ContractsJson.Default.EngagementBody);

    public static byte[] Of(LabelRecorded label) => JsonSerializer.SerializeToUtf8Bytes(
        new LabelBody { Id = label.Id, RedemptionId = label.RedemptionId, Abuse = label.Abuse, Source = label.Source, Note = label.Note }, ContractsJson.Default.LabelBody);

    public static byte[] Of(CaptureRequested capture) =>
        JsonSerializer.SerializeToUtf8Bytes(new CaptureEventBody { RedemptionId = capture.RedemptionId }, ContractsJson.Default.CaptureEventBody);

    public static byte[] Of(VoidRequested request) =>
        JsonSerializer.SerializeToUtf8Bytes(new VoidEventBody { RedemptionId = request.RedemptionId, Reason = request.Reason }, ContractsJson.Default.VoidEventBody);

    private static CustomerBody Customer(CustomerRef customer, Country country = default) => new() { Id = customer.Id, RegisteredAt = customer.RegisteredAt?.ToString(), Country = Said(country) };

    private static string? Said(Country country) => country.IsKnown ? country.ToString() : null;

    private static OrderBody Order(Cart cart) => new()
    {
        Id = cart.OrderId,
        Currency = cart.Currency,
        Items = [.. cart.Lines.Select(line => new ItemBody { Line = line.Line, Sku = line.Sku, Category = line.Category, Quantity = line.Quantity, UnitPrice = new(line.UnitPrice, cart.Currency) })],
        Shipping = new(cart.Shipping, cart.Currency),
    };

    private static RedeemableBody Redeemable(Redeemable redeemable, string currency) => new()
    {
        Type = Wire.Of(redeemable.Type),
        Code = redeemable.Code,
        Amount = redeemable.Type is RedeemableType.Coupon ? null : QuantityBody.Of(redeemable.Amount, redeemable.Type is RedeemableType.Points ? "points" : currency),
    };

    private static ContextBody Context(AttemptContext context, AttemptOrigin origin) => new()
    {
        DeviceId = context.DeviceId,
        Ip = context.Ip,
        UserAgent = context.UserAgent,
        PaymentToken = context.PaymentToken,
        AddressId = context.AddressId,
        Session = context.Session,
        ShippingCountry = Said(origin.Shipping),
        IpCountry = Said(origin.Ip),
        IpHosting = (origin.Flags & IpFlags.HostingKnown) == 0 ? null : (origin.Flags & IpFlags.Hosting) != 0,
        IpTor = (origin.Flags & IpFlags.TorKnown) == 0 ? null : (origin.Flags & IpFlags.Tor) != 0,
    };
}
