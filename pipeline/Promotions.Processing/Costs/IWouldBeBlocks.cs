using Promotions.Domain;

namespace Promotions.Processing.Costs;

/// <summary>Where the attempts are found that the model alone would have blocked while the policy let a share of such through, with the labels that have arrived since.</summary>
public interface IWouldBeBlocks
{
    /// <summary>Redemptions of the time and later by currency, each in order of position. Begin at a day's start: the room of a day is counted from its first attempt on.</summary>
    /// <exception cref="Exception">The store cannot answer; each has its own.</exception>
    Task<IReadOnlyDictionary<string, IReadOnlyList<WouldBeBlock>>> ReadAsync(EventTime from, CancellationToken cancellationToken);
}
