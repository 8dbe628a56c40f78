using System.Text.Json;

namespace Promotions.Ledger.Verification;

/// <summary>Folds what followers were told, in order, and compares it with the tables that hold the same: coupons, arms, purchases, holds.</summary>
internal sealed class OutboxReplay(Findings findings)
{
    private const int MissingMax = 10;

    private readonly Dictionary<string, (string Campaign, string? Customer, long? UsesMax, bool Revoked)> _coupons = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Campaign, string Customer), string> _arms = [];
    private readonly Dictionary<string, long> _orders = new(StringComparer.Ordinal);
    private readonly Dictionary<long, (long Total, long Returned)> _purchases = [];
    private readonly Dictionary<string, int> _holds = new(StringComparer.Ordinal);

    /// <summary>Whether <see cref="Told"/> wants the payload of such a row: others need not be read.</summary>
    public static bool Wants(string type) => type is OutboxTypes.HoldCaptured or OutboxTypes.HoldVoided or OutboxTypes.HoldExpired
        or OutboxTypes.CouponIssued or OutboxTypes.CouponRevoked or OutboxTypes.Arm or OutboxTypes.Order or OutboxTypes.Return;

    /// <param name="entry">Number of the entry that told it.</param>
    /// <exception cref="KeyNotFoundException">It speaks of something that was never told before, or lacks a field.</exception>
    /// <exception cref="JsonException">The payload is no JSON.</exception>
    public void Told(string type, string key, ReadOnlyMemory<byte> payload, long entry)
    {
        findings.Count("tables_equal_the_outbox");
        if (type is OutboxTypes.HoldCaptured or OutboxTypes.HoldVoided or OutboxTypes.HoldExpired)
        {
            var state = type switch { OutboxTypes.HoldCaptured => 2, OutboxTypes.HoldVoided => 3, _ => 4 };
            if (!_holds.TryAdd(key, state)) findings.Add("each_hold_is_resolved_once", $"{key} was told twice");
            return;
        }

        using var json = JsonDocument.Parse(payload);
        var root = json.RootElement;
        switch (type)
        {
            case OutboxTypes.CouponIssued:
                _coupons[key] = (Text(root, "campaign_id")!, Text(root, "customer"), root.GetProperty("uses_max") is { ValueKind: JsonValueKind.Number } n ? n.GetInt64() : null, false);
                break;
            case OutboxTypes.CouponRevoked: _coupons[key] = _coupons[key] with { Revoked = true }; break;
            case OutboxTypes.Arm:
                if (root.GetProperty("first").GetBoolean() && !_arms.TryAdd((Text(root, "campaign_id")!, key), Text(root, "arm")!)) findings.Add("arms_equal_the_outbox", $"{key} was told a first arm twice");
                break;
            case OutboxTypes.Order:
                _orders[key] = entry;
                _purchases.Add(entry, (root.GetProperty("total").GetInt64(), 0));
                break;
            case OutboxTypes.Return:
                var order = _purchases[_orders[key]];
                _purchases[_orders[key]] = order with { Returned = order.Returned + root.GetProperty("amount").GetInt64() };
                break;
        }
    }

    public void Coupon(string code, string campaign, string? customer, long? usesMax, bool revoked)
    {
        if (!_coupons.Remove(code, out var told) || told != (campaign, customer, usesMax, revoked)) findings.Add("coupons_equal_the_outbox", $"coupon {code}: told {told}");
    }

    /// <param name="treated">False: in the control group.</param>
    public void Arm(string campaign, string customer, bool treated)
    {
        if (!_arms.Remove((campaign, customer), out var told) || told != (treated ? "treated" : "control")) findings.Add("arms_equal_the_outbox", $"{campaign} {customer}: told {told ?? "nothing"}");
    }

    public void Purchase(long entry, long total, long returned)
    {
        if (!_purchases.Remove(entry, out var told) || told != (total, returned))
            findings.Add("purchases_equal_the_outbox", $"purchase {entry}: {total} and {returned} returned, told {told.Total} and {told.Returned}");
    }

    /// <param name="state">As stored: 1 held, 2 captured, 3 voided, 4 expired.</param>
    public void Hold(string redemptionId, int state)
    {
        var told = _holds.Remove(redemptionId, out var end) ? end : 1;
        if (told != state) findings.Add("holds_equal_the_outbox", $"{redemptionId}: state {state}, told {told}");
    }

    /// <summary>After all rows: what was told and is not there.</summary>
    public void End()
    {
        foreach (var code in _coupons.Keys.Take(MissingMax)) findings.Add("coupons_equal_the_outbox", $"coupon {code} was told and is not there");
        foreach (var (campaign, customer) in _arms.Keys.Take(MissingMax)) findings.Add("arms_equal_the_outbox", $"{campaign} {customer} was told and is not there");
        if (_purchases.Count > 0) findings.Add("purchases_equal_the_outbox", $"{_purchases.Count} purchases were told and are not there");
        foreach (var id in _holds.Keys.Take(MissingMax)) findings.Add("holds_equal_the_outbox", $"{id} was told and has no hold");
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
