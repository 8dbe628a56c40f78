using System.Globalization;
using Promotions.Domain.Events;

namespace Promotions.Simulation.Shop;

/// <summary>What the shop sells, and what carts of a wanted value are made of. EUR cents.</summary>
internal sealed class Assortment
{
    public const string Currency = "EUR";
    private const int ProductCount = 480;
    private static readonly string[] s_categories =
        ["shoes", "shirts", "trousers", "jackets", "kitchen", "garden", "toys", "books", "audio", "beauty", "sport", "gift_card"];

    private readonly (string Sku, string Category, long Price)[] _products;   // by price

    public Assortment(ulong seed)
    {
        _products = new (string, string, long)[ProductCount];
        for (var i = 0; i < ProductCount; i++)
        {
            var draws = Draws.For(seed, Purpose.Product, i);
            var category = s_categories[i % s_categories.Length];
            var price = (Math.Clamp((long)draws.LogNormal(1_900, 0.9), 199, 39_900) / 100 * 100) + 99;
            _products[i] = ($"{category}-{(i / s_categories.Length).ToString("000", CultureInfo.InvariantCulture)}", category, price);
        }

        Array.Sort(_products, static (one, other) => one.Price != other.Price ? one.Price.CompareTo(other.Price) : string.CompareOrdinal(one.Sku, other.Sku));
    }

    /// <summary>One to five products that together cost about <paramref name="value"/>.</summary>
    public Cart Fill(string orderId, double value, int linesMax, bool shipped, ref Draws draws)
    {
        var count = 1 + draws.Below(Math.Max(1, linesMax));
        var lines = new List<CartLine>(count);
        var left = value;
        for (var i = 0; i < count && (i == 0 || left > 300); i++)
        {
            var wanted = i == count - 1 ? left : left * draws.Between(0.3, 0.8);
            var product = _products[Math.Clamp(CountUpTo((long)wanted) - 1 - draws.Below(6), 0, ProductCount - 1)];
            var quantity = (int)Math.Clamp(Math.Round(wanted / product.Price), 1, 20);
            lines.Add(new((i + 1).ToString(CultureInfo.InvariantCulture), product.Sku, product.Category, quantity, product.Price));
            left -= (double)quantity * product.Price;
        }

        var cart = new Cart(orderId, Currency, lines, 0);
        return shipped && cart.Subtotal < 5_000 ? cart with { Shipping = 490 } : cart;
    }

    private int CountUpTo(long price)
    {
        int low = 0, high = ProductCount;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_products[middle].Price <= price) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
