using System.ComponentModel.DataAnnotations;

namespace Promotions.Api;

/// <summary>Settings of the HTTP surface.</summary>
public sealed class ApiOptions
{
    /// <summary>Requests per second of a key without a rate of its own. Default 5,000.</summary>
    [Range(1, 1_000_000)]
    public int RequestsPerSecond { get; set; } = 5_000;

    /// <summary>Requests a key may send at once after a pause, as seconds of its rate. Default 2.</summary>
    [Range(1, 60)]
    public int BurstSeconds { get; set; } = 2;

    /// <summary>Requests per second without a valid key, per remote address: what guessing keys may cost. Default 50.</summary>
    [Range(1, 1_000_000)]
    public int AnonymousRequestsPerSecond { get; set; } = 50;

    /// <summary>Requests being answered at one time; more are told to come back. Default 4,096.</summary>
    [Range(1, 1_000_000)]
    public int InFlightMax { get; set; } = 4_096;

    /// <summary>How long an answer may take before the caller is told to ask again with the same id. Default 10 s.</summary>
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a revocation by another process may stay unseen; in this process it counts at once. Default 1 s.</summary>
    public TimeSpan KeysReloadAfter { get; set; } = TimeSpan.FromSeconds(1);
}
