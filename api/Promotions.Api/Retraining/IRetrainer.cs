using Promotions.Scoring;

namespace Promotions.Api.Retraining;

/// <summary>Learns a candidate from the system's log. The host has it: trainers and their memory are in no process that decides.</summary>
public interface IRetrainer
{
    /// <summary>Why nothing can be learned here, a sentence; null where it can.</summary>
    string? MissingBecause { get; }

    /// <param name="doing">Told what it does, in words, from any thread.</param>
    /// <returns>What came of it, and the model file where it is a candidate.</returns>
    /// <exception cref="RetrainingFaultException">It ended without an answer.</exception>
    Task<(RetrainingReport Report, byte[]? Model)> RunAsync(RetrainingPolicy policy, Action<string> doing, CancellationToken cancellationToken);
}

/// <summary>For hosts that cannot learn.</summary>
public sealed class NoRetrainer(string because) : IRetrainer
{
    public string? MissingBecause => because;

    public Task<(RetrainingReport Report, byte[]? Model)> RunAsync(RetrainingPolicy policy, Action<string> doing, CancellationToken cancellationToken) => throw new RetrainingFaultException(because);
}

/// <summary>A retraining ended without an answer; the message says why, for a person.</summary>
public sealed class RetrainingFaultException : Exception
{
    public RetrainingFaultException() { }
    public RetrainingFaultException(string message) : base(message) { }
    public RetrainingFaultException(string message, Exception inner) : base(message, inner) { }
}
