using Promotions.Domain.Decisions;

namespace Promotions.Processing.Embedded;

/// <summary>Told what the pipeline did, for metrics and the live page. Never changes an outcome; must not block or throw.</summary>
public interface IPipelineObserver
{
    void Decided(Decision decision, bool repeated, TimeSpan sinceAccepted);
    /// <param name="stage"><c>process</c>, <c>commit</c>, <c>fold</c> or <c>checkpoint</c>; once per batch.</param>
    void Stage(string stage, TimeSpan took, int records);
    void Faulted(string what, Exception fault);
    void Replayed(long position, long lastPosition);
}
