using Promotions.Domain;
using Promotions.Domain.Events;

namespace Promotions.Processing.Embedded;

/// <summary>Stream time at the door: how late a record is, judged once, here, and stamped on it.</summary>
/// <remarks>The greatest event time accepted so far. After a restart it begins anew: what comes in behind a gap is not late by it. Safe from several threads.</remarks>
public sealed class Intake
{
    private long _streamTime = long.MinValue;

    /// <summary>The request with its lateness. Unit: milliseconds behind stream time; 0 when in order.</summary>
    public RedemptionRequest Accept(RedemptionRequest request)
    {
        var late = Advance(request.At);
        return late > 0 ? request with { LateByMs = late } : request;
    }

    private long Advance(EventTime at)
    {
        var time = at.UnixMilliseconds;
        var seen = Volatile.Read(ref _streamTime);
        while (time > seen)
        {
            var before = Interlocked.CompareExchange(ref _streamTime, time, seen);
            if (before == seen) return 0;
            seen = before;
        }

        return seen - time;
    }
}
