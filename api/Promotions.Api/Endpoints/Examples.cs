namespace Promotions.Api.Endpoints;

/// <summary>Bodies of the OpenAPI document. In the table's order they tell one story, and a test makes every call.</summary>
internal static class Examples
{
    public const string Campaign = """
        {"id": "summer-10", "name": "10 % off summer", "distribution": "code_based", "currency": "EUR",
         "benefit": {"type": "percent_off", "basis_points": 1000, "applies_to": "order", "discount_max": {"amount": 2000, "currency": "EUR"}},
         "conditions": {"spend_min": {"amount": 2000, "currency": "EUR"}, "excluded_categories": ["gift-cards"]},
         "limits": {"uses_max": 10000, "uses_per_customer_max": 3, "budget": {"amount": 500000, "currency": "EUR"}},
         "starts_at": "2026-01-01T00:00:00Z", "channels": ["web-de"], "control_share": 0}
        """;

    public const string CampaignEdit = """
        {"version": 1, "name": "10 % off summer, longer", "distribution": "code_based", "currency": "EUR",
         "benefit": {"type": "percent_off", "basis_points": 1000},
         "starts_at": "2026-01-01T00:00:00Z", "channels": ["web-de"]}
        """;

    public const string PrivateCampaign = """
        {"id": "welcome-5", "name": "5 EUR for new customers", "distribution": "private", "currency": "EUR",
         "benefit": {"type": "amount_off", "amount": {"amount": 500, "currency": "EUR"}},
         "starts_at": "2026-01-01T00:00:00Z"}
        """;

    public const string FraudPolicy = """
        {"version": 1,
         "costs": {"wronged_customer": 2500, "review": 150, "abuse_multiple": 5, "loss_min": 500, "review_catches": 0.8},
         "review_floor": 0.05,
         "channels": [{"channel": "pos-*", "ignored_entities": ["device", "ip", "network"], "fallback": "review"}, {"channel": "kiosk-1", "fallback": "refuse"}],
         "hold_seconds": 1800}
        """;

    public const string StaleFraudPolicy = """
        {"version": 1,
         "costs": {"wronged_customer": 9000, "review": 150, "abuse_multiple": 5, "loss_min": 500, "review_catches": 0.8},
         "review_floor": 0.05, "hold_seconds": 1800}
        """;

    private const string Order = """
        "order": {"id": "o-1001", "currency": "EUR",
          "items": [
            {"line": "1", "sku": "shirt-m", "category": "clothes", "quantity": 2, "unit_price": {"amount": 1999, "currency": "EUR"}},
            {"line": "2", "sku": "mug", "category": "kitchen", "quantity": 1, "unit_price": {"amount": 850, "currency": "EUR"}}],
          "shipping": {"amount": 490, "currency": "EUR"}}
        """;

    private const string Context = """
        "context": {"device_id": "d-7f3a", "ip": "203.0.113.7", "user_agent": "Mozilla/5.0", "payment_token": "tok_visa_1", "address_id": "a-12", "session": "s-1"}
        """;

    public const string Redemption = $$$"""
        {"id": "r-1001", "channel": "web-de", "customer": {"id": "c-42", "registered_at": "2026-01-02T03:04:05Z"},
         {{{Order}}},
         "redeemables": [{"type": "coupon", "code": "SUMMER10"}],
         {{{Context}}}}
        """;

    public const string RedemptionToVoid = $$$"""
        {"id": "r-1002", "channel": "web-de", "customer": {"id": "c-43"},
         {{{Order}}},
         "redeemables": [{"type": "coupon", "code": "summer10"}]}
        """;

    public const string Validation = $$$"""
        {"channel": "web-de", "customer": {"id": "c-42"},
         {{{Order}}},
         "redeemables": [{"type": "coupon", "code": "SUMMER10"}, {"type": "points", "amount": 100}, {"type": "cash", "amount": {"amount": 500, "currency": "EUR"}}],
         {{{Context}}}}
        """;

    public const string Qualification = $$$"""
        {"channel": "web-de", "customer": {"id": "c-42"},
         {{{Order}}}}
        """;

    public const string OrderPlaced = $$$"""
        {"channel": "web-de", "customer": {"id": "c-42"},
         {{{Order}}},
         "total": {"amount": 4853, "currency": "EUR"}, "redemption_id": "r-1001"}
        """;
}
