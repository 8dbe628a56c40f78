using Promotions.Domain;
using Promotions.Domain.Events;

namespace Promotions.Contracts.Intake;

/// <summary>From a body to the domain's request. All errors are collected; the request is null when there is one.</summary>
public static class RedemptionIntake
{
    /// <param name="places">Says where an ip is that the caller does not place; null where nothing is known.</param>
    public static RedemptionRequest? Read(RedemptionBody body, AttemptKind kind, in Caller caller, FieldErrors errors, IpDirectory? places = null)
    {
        var channel = Check.Id(errors, body.Channel, "/channel");
        var customer = Customer(body.Customer, caller.At, errors);
        var cart = OrderIntake.Cart(body.Order, errors);
        var redeemables = Redeemables(body.Redeemables, cart?.Currency ?? "", errors);
        var context = Context(body.Context, errors);
        var origin = Origin(body, context.Ip, places, errors);
        var occurredAt = Check.OptionalPast(errors, body.OccurredAt, caller.At, "/occurred_at");
        if (errors.Any) return null;

        var hash = CanonicalHash.Of(kind, caller.Id, channel, caller.ApiKeyId, customer, cart!, redeemables, context, occurredAt, origin);
        return new(kind, caller.Id, channel, caller.ApiKeyId, customer, cart!, redeemables, context, caller.At, occurredAt, caller.Deadline, hash, Origin: origin);
    }

    internal static CustomerRef Customer(CustomerBody? body, EventTime now, FieldErrors errors)
    {
        if (body is null)
        {
            errors.Add("/customer", "required", "Is missing.");
            return new("", null);
        }
        Check.OptionalCountry(errors, body.Country, "/customer/country");
        return new(Check.Id(errors, body.Id, "/customer/id"), Check.OptionalPast(errors, body.RegisteredAt, now, "/customer/registered_at"));
    }

    private static Redeemable[] Redeemables(RedeemableBody?[]? bodies, string currency, FieldErrors errors)
    {
        if (bodies is not { Length: > 0 }) return [];
        if (bodies.Length > Bounds.RedeemablesMax)
        {
            errors.Add("/redeemables", "too_many", $"At most {Bounds.RedeemablesMax}.");
            return [];
        }
        var redeemables = new Redeemable[bodies.Length];
        for (var i = 0; i < bodies.Length; i++)
            redeemables[i] = One(bodies[i], i, currency, errors);
        return redeemables;
    }

    private static Redeemable One(RedeemableBody? body, int index, string currency, FieldErrors errors)
    {
        const string Parent = "/redeemables";
        var type = Wire.ParseRedeemableType(body?.Type);
        if (type is RedeemableType.None)
        {
            errors.Add(new At(Parent, index, body is null ? "" : "type"), body?.Type is null ? "required" : "unknown_value", "Must be coupon, points, cash, gift or refund.");
            return new(type, null, 0);
        }
        if (type is RedeemableType.Coupon)
        {
            if (body!.Amount is not null) errors.Add(new At(Parent, index, "amount"), "not_allowed", "A coupon has no amount.");
            return new(type, Check.Code(errors, body.Code, new At(Parent, index, "code")), 0);
        }

        if (body!.Code is not null) errors.Add(new At(Parent, index, "code"), "not_allowed", "A balance has no code.");
        var at = new At(Parent, index, "amount");
        if (body.Amount is { } amount && (type is RedeemableType.Points) != (amount.Currency is null))
            errors.Add(at, "wrong_type", type is RedeemableType.Points ? "Points are a whole number." : "Must be money: amount and currency.");
        else if (body.Amount is { Currency: { } other } && currency.Length > 0 && other != currency)
            errors.Add(new At(Parent, index, "amount/currency"), "currency_mismatch", $"Must be {currency}, like the order.");
        return new(type, null, Check.Whole(errors, body.Amount?.Value, at, 1, type is RedeemableType.Points ? Bounds.PointsMax : Bounds.AmountMax));
    }

    private static AttemptContext Context(ContextBody? body, FieldErrors errors) => body is null
        ? AttemptContext.None
        : new(
            Check.OptionalText(errors, body.DeviceId, "/context/device_id", Bounds.NameMax),
            Check.OptionalIp(errors, body.Ip, "/context/ip"),
            Check.OptionalText(errors, body.UserAgent, "/context/user_agent", Bounds.UserAgentMax),
            Check.OptionalText(errors, body.PaymentToken, "/context/payment_token", Bounds.NameMax),
            Check.OptionalText(errors, body.AddressId, "/context/address_id", Bounds.NameMax),
            Check.OptionalText(errors, body.Session, "/context/session", Bounds.NameMax));

    /// <summary>What the caller says of its ip stands; what it leaves out is looked up here, and only here.</summary>
    private static AttemptOrigin Origin(RedemptionBody body, string? ip, IpDirectory? places, FieldErrors errors)
    {
        var account = Country.TryParse(body.Customer?.Country, out var said) ? said : default;      // checked with the customer
        if (body.Context is not { } context) return new(default, account, default, IpFlags.None);
        var shipping = Check.OptionalCountry(errors, context.ShippingCountry, "/context/shipping_country");
        var country = Check.OptionalCountry(errors, context.IpCountry, "/context/ip_country");
        var flags = IpFlags.None;
        if (places is not null && ip is not null)
        {
            var (found, listed) = places.Find(ip);
            if (!country.IsKnown) country = found;
            flags = listed;
        }
        if (context.IpHosting is { } hosting) flags = (flags & ~IpFlags.Hosting) | IpFlags.HostingKnown | (hosting ? IpFlags.Hosting : IpFlags.None);
        if (context.IpTor is { } tor) flags = (flags & ~IpFlags.Tor) | IpFlags.TorKnown | (tor ? IpFlags.Tor : IpFlags.None);
        return new(country, account, shipping, flags);
    }
}
