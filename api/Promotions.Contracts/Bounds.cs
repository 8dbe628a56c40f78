namespace Promotions.Contracts;

/// <summary>How large a request's parts may be. Everything has a bound; each is in the OpenAPI document.</summary>
public static class Bounds
{
    /// <summary>Bytes of a request body.</summary>
    public const int BodyMax = 64 * 1024;
    /// <summary>Bytes of the body of a grant: 100,000 customer ids of 64 characters, quoted.</summary>
    public const int GrantBodyMax = 8 * 1024 * 1024;
    /// <summary>Levels of JSON.</summary>
    public const int DepthMax = 16;
    public const int ItemsMax = 500;
    public const int RedeemablesMax = 30;
    public const int QuantityMax = 100_000;
    /// <summary>Minor units of one unit price.</summary>
    public const long UnitPriceMax = 1_000_000_000_000;
    /// <summary>Minor units of an order or a deposit. Times 10,000 basis points it still fits an Int64.</summary>
    public const long AmountMax = 900_000_000_000_000;
    public const long PointsMax = 1_000_000_000_000;
    public const int NameMax = 128;
    public const int CodeMax = 64;
    public const int UserAgentMax = 1024;
    public const int NoteMax = 500;
    public const int ListMax = 1000;
    public const int GrantMax = 100_000;
    public const int CodesMax = 1_000_000;
    public const int HardRulesMax = 100;
    public const int ChannelPoliciesMax = 200;
    /// <summary>Seconds that a hold may live: the ledger's 7 days.</summary>
    public const int HoldSecondsMax = 7 * 24 * 3600;
    /// <summary>How far ahead of our clock a caller's may be.</summary>
    public static readonly TimeSpan AheadMax = TimeSpan.FromMinutes(1);
}

/// <summary>Regular expressions of the OpenAPI document.</summary>
public static class Patterns
{
    public const string Id = "^[A-Za-z0-9._:-]{1,64}$";
    public const string Country = "^[A-Z]{2}$";
}
