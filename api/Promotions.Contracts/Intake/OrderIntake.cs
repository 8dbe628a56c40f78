using System.Globalization;
using Promotions.Domain.Events;

namespace Promotions.Contracts.Intake;

/// <summary>Carts, purchases and returns.</summary>
public static class OrderIntake
{
    public static OrderPlaced? Read(OrderPlacedBody body, in Caller caller, FieldErrors errors)
    {
        var channel = Check.Id(errors, body.Channel, "/channel");
        var customer = RedemptionIntake.Customer(body.Customer, caller.At, errors);
        var cart = Cart(body.Order, errors);
        var total = Check.Money(errors, body.Total, cart?.Currency ?? "", "/total", 0, Bounds.AmountMax);
        var redemptionId = Check.OptionalId(errors, body.RedemptionId, "/redemption_id");
        var occurredAt = Check.OptionalPast(errors, body.OccurredAt, caller.At, "/occurred_at");
        if (errors.Any) return null;

        var hash = CanonicalHash.OfOrder(channel, caller.ApiKeyId, customer, cart!, total, redemptionId, occurredAt);
        return new(caller.Id, channel, caller.ApiKeyId, customer, cart!, total, redemptionId, caller.At, occurredAt, hash);
    }

    public static OrderReturned? Read(OrderReturnedBody body, string orderId, in Caller caller, FieldErrors errors)
    {
        var customerId = Check.Id(errors, body.CustomerId, "/customer_id");
        var currency = Check.Currency(errors, body.Amount?.Currency, "/amount/currency");
        var amount = Check.Money(errors, body.Amount, currency, "/amount", 1, Bounds.AmountMax);
        if (errors.Any) return null;

        var hash = CanonicalHash.Of("return", caller.Id, caller.ApiKeyId, orderId, customerId, currency, amount.ToString(CultureInfo.InvariantCulture));
        return new(caller.Id, orderId, customerId, amount, caller.At, hash);
    }

    /// <returns>Null when anything is wrong with it.</returns>
    internal static Cart? Cart(OrderBody? body, FieldErrors errors)
    {
        if (body is null)
        {
            errors.Add("/order", "required", "Is missing.");
            return null;
        }
        var before = errors.List.Count;
        var id = Check.Id(errors, body.Id, "/order/id");
        var currency = Check.Currency(errors, body.Currency, "/order/currency");
        var shipping = Check.OptionalMoney(errors, body.Shipping, currency, "/order/shipping", 0, Bounds.UnitPriceMax) ?? 0;
        var lines = Lines(body.Items, currency, errors);
        if (errors.List.Count == before && SumOf(lines, shipping) > Bounds.AmountMax)
            errors.Add("/order", "overflow", string.Create(CultureInfo.InvariantCulture, $"The order sums to more than {Bounds.AmountMax}."));
        return new(id, currency, lines, shipping);
    }

    private static CartLine[] Lines(ItemBody?[]? items, string currency, FieldErrors errors)
    {
        const string Parent = "/order/items";
        if (items is not { Length: > 0 and <= Bounds.ItemsMax })
        {
            errors.Add(Parent, items is null ? "required" : items.Length == 0 ? "too_few" : "too_many", $"1 to {Bounds.ItemsMax}.");
            return [];
        }
        var lines = new CartLine[items.Length];
        for (var i = 0; i < items.Length; i++)
        {
            if (items[i] is not { } item)
            {
                errors.Add(new At(Parent, i, ""), "required", "Is null.");
                lines[i] = new("", "", null, 1, 0);
                continue;
            }
            lines[i] = new(
                Check.Id(errors, item.Line, new At(Parent, i, "line")),
                Check.Text(errors, item.Sku, new At(Parent, i, "sku"), Bounds.NameMax),
                Check.OptionalText(errors, item.Category, new At(Parent, i, "category"), Bounds.NameMax),
                (int)Check.Whole(errors, item.Quantity, new At(Parent, i, "quantity"), 1, Bounds.QuantityMax),
                Check.Money(errors, item.UnitPrice, currency, new At(Parent, i, "unit_price"), 0, Bounds.UnitPriceMax));
        }
        RefuseRepeated(lines, Parent, errors);
        return lines;
    }

    private static void RefuseRepeated(CartLine[] lines, string parent, FieldErrors errors)
    {
        // Carts are small: comparing pairs costs less than a set. 64 lines are 2,016 comparisons of short texts.
        var seen = lines.Length > 64 ? new HashSet<string>(lines.Length, StringComparer.Ordinal) : null;
        for (var i = 0; i < lines.Length; i++)
        {
            var repeated = seen is not null && !seen.Add(lines[i].Line);
            for (var j = 0; seen is null && j < i && !repeated; j++) repeated = lines[i].Line == lines[j].Line;
            if (repeated && lines[i].Line.Length > 0) errors.Add(new At(parent, i, "line"), "repeated", "Another item has this line.");
        }
    }

    private static Int128 SumOf(CartLine[] lines, long shipping)
    {
        Int128 sum = shipping;
        foreach (var line in lines) sum += (Int128)line.Quantity * line.UnitPrice;
        return sum;
    }
}
