using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;

namespace Promotions.Contracts.Intake;

/// <summary>SHA-256 over what a request <em>means</em>: the same content in another JSON spelling has the same hash, other content never.</summary>
/// <remarks>Every text is preceded by its length, every list by its count, and null differs from empty, so that no two contents share their bytes.
/// The API key is part of the content: another key that sends the same id is refused instead of being told a stranger's answer.
/// Arrival, lateness and deadline are not: a retry has others.</remarks>
public ref struct CanonicalHash
{
    private byte[] _buffer;
    private int _length;

    private CanonicalHash(string kind)
    {
        _buffer = ArrayPool<byte>.Shared.Rent(1024);
        Add(kind);
    }

    /// <summary>Raised when the form below changes; a recorded hash then no longer matches, so it must not change lightly.</summary>
    private const string Version = "v1";

    public static ReadOnlyMemory<byte> Of(
        AttemptKind kind, string id, string channel, string apiKeyId, CustomerRef customer, Cart cart, IReadOnlyList<Redeemable> redeemables, AttemptContext context, EventTime? occurredAt,
        AttemptOrigin origin = default)
    {
        var hash = new CanonicalHash(kind is AttemptKind.Redemption ? "redemption/" + Version : "validation/" + Version);
        hash.Add(id);
        hash.Add(channel);
        hash.Add(apiKeyId);
        hash.Add(customer);
        hash.Add(cart);
        hash.Add(redeemables.Count);
        for (var i = 0; i < redeemables.Count; i++)
        {
            hash.Add((long)redeemables[i].Type);
            hash.Add(redeemables[i].Code);
            hash.Add(redeemables[i].Amount);
        }
        hash.Add(context.DeviceId);
        hash.Add(context.Ip);
        hash.Add(context.UserAgent);
        hash.Add(context.PaymentToken);
        hash.Add(context.AddressId);
        hash.Add(context.Session);
        hash.Add(occurredAt);
        // What the caller says of itself, where it says it: a request without has the hash it always had. What is said or found of the ip is not content; the ip is.
        if (origin.Account.IsKnown || origin.Shipping.IsKnown)
        {
            hash.Add(origin.Account.Number);
            hash.Add(origin.Shipping.Number);
        }
        return hash.Finish();
    }

    public static ReadOnlyMemory<byte> OfOrder(string channel, string apiKeyId, CustomerRef customer, Cart cart, long total, string? redemptionId, EventTime? occurredAt)
    {
        var hash = new CanonicalHash("order/" + Version);
        hash.Add(channel);
        hash.Add(apiKeyId);
        hash.Add(customer);
        hash.Add(cart);
        hash.Add(total);
        hash.Add(redemptionId);
        hash.Add(occurredAt);
        return hash.Finish();
    }

    /// <summary>Of small requests: the kind's name, then each part in order.</summary>
    public static ReadOnlyMemory<byte> Of(string kind, params ReadOnlySpan<string?> parts)
    {
        var hash = new CanonicalHash(kind + "/" + Version);
        hash.Add(parts.Length);
        foreach (var part in parts) hash.Add(part);
        return hash.Finish();
    }

    /// <summary>Of what an admin wrote in a campaign: not its version, salt or times of making.</summary>
    public static ReadOnlyMemory<byte> Of(Campaign campaign)
    {
        var hash = new CanonicalHash("campaign/" + Version);
        hash.Add(campaign.Id);
        hash.Add(campaign.Name);
        hash.Add((long)campaign.Distribution);
        hash.Add(campaign.Currency);
        hash.Add((long)campaign.Benefit.Type);
        hash.Add(campaign.Benefit.BasisPoints);
        hash.Add(campaign.Benefit.AmountMinorUnits);
        hash.Add(campaign.Benefit.OnMatchingLines ? 1 : 0);
        hash.Add(campaign.Benefit.DiscountMax);
        hash.Add(campaign.Conditions.SpendMin);
        hash.Add(campaign.Conditions.SpendMax);
        hash.Add(campaign.Conditions.IncludedSkus);
        hash.Add(campaign.Conditions.ExcludedSkus);
        hash.Add(campaign.Conditions.IncludedCategories);
        hash.Add(campaign.Conditions.ExcludedCategories);
        hash.Add(campaign.Limits.UsesMax);
        hash.Add((long?)campaign.Limits.UsesPerCustomerMax);
        hash.Add(campaign.Limits.BudgetMinorUnits);
        hash.Add(campaign.EndsAt);
        hash.Add(campaign.Channels);
        hash.Add(campaign.ControlShare);
        hash.Add(campaign.Active ? 1 : 0);
        return hash.Finish();
    }

    private void Add(CustomerRef customer)
    {
        Add(customer.Id);
        Add(customer.RegisteredAt);
    }

    private void Add(Cart cart)
    {
        Add(cart.OrderId);
        Add(cart.Currency);
        Add(cart.Lines.Count);
        for (var i = 0; i < cart.Lines.Count; i++)
        {
            var line = cart.Lines[i];
            Add(line.Line);
            Add(line.Sku);
            Add(line.Category);
            Add(line.Quantity);
            Add(line.UnitPrice);
        }
        Add(cart.Shipping);
    }

    private void Add(IReadOnlyList<string> texts)
    {
        Add(texts.Count);
        foreach (var text in texts) Add(text);
    }

    private void Add(EventTime? time) => Add(time?.UnixMilliseconds);

    private void Add(long? value)
    {
        Add(value.HasValue ? 1L : 0L);
        if (value is { } present) Add(present);
    }

    private void Add(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(sizeof(long)), value);

    private void Add(string? text)
    {
        if (text is null)
        {
            Add(-1L);
            return;
        }
        var length = Encoding.UTF8.GetByteCount(text);
        Add((long)length);
        Encoding.UTF8.GetBytes(text, Take(length));
    }

    private Span<byte> Take(int length)
    {
        if (_buffer.Length - _length < length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, checked(_length + length)));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        _length += length;
        return _buffer.AsSpan(_length - length, length);
    }

    private ReadOnlyMemory<byte> Finish()
    {
        var hash = SHA256.HashData(_buffer.AsSpan(0, _length));
        ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        _buffer = [];
        return hash;
    }
}
