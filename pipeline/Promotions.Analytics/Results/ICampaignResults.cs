namespace Promotions.Analytics.Results;

/// <summary>What a campaign caused, asked of ClickHouse. Reads only; safe from any thread.</summary>
public interface ICampaignResults
{
    /// <returns>Null when no such campaign is known. A campaign that nobody was triggered for yet has a result that says so.</returns>
    /// <exception cref="AnalyticsUnavailableException">ClickHouse does not answer; decisions are not affected. Try again later.</exception>
    Task<CampaignResult?> ComputeAsync(string campaignId, CancellationToken cancellationToken);
}

/// <summary>ClickHouse is away, starting or overloaded. Never a statement about the campaign.</summary>
public sealed class AnalyticsUnavailableException : Exception
{
    public AnalyticsUnavailableException() { }
    public AnalyticsUnavailableException(string message) : base(message) { }
    public AnalyticsUnavailableException(string message, Exception innerException) : base(message, innerException) { }
}
