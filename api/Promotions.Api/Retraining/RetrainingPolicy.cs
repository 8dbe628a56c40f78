using Promotions.Domain;

namespace Promotions.Api.Retraining;

/// <summary>When a candidate is learned, and from what.</summary>
/// <param name="EveryDays">From one to the next, 1 to 365; null (the default): none begins by itself.</param>
/// <param name="Hour">Of the day, UTC, 0 to 23. Default 3.</param>
/// <param name="PeriodDays">To learn from, 7 to 730. Default 90.</param>
/// <param name="LabelDays">How long complaints take: the period ends so many days before now, 0 to 365. Default 60.</param>
/// <param name="LabelsMin">Attempts labelled abuse that the period needs, from 10 on. Default 200.</param>
/// <param name="SetAt">Since when the schedule counts. Unix milliseconds.</param>
public sealed record RetrainingPolicy(int? EveryDays, int Hour, int PeriodDays, int LabelDays, int LabelsMin, long SetAt)
{
    public static readonly RetrainingPolicy Default = new(null, 3, 90, 60, 200, 0);

    /// <summary>When the schedule begins the next one: at its hour, so many days after the last one began or the schedule was set, whichever is later. In the past where the system was down then: it is due at once.</summary>
    /// <param name="lastStarted">Null where none began yet.</param>
    /// <returns>Null where the schedule is off.</returns>
    public EventTime? NextAfter(EventTime? lastStarted)
    {
        if (EveryDays is not { } days) return null;
        var from = lastStarted is { } last && last.UnixMilliseconds > SetAt ? last : new EventTime(SetAt);
        // The day counts, not the hour: one that was started by hand in the afternoon does not move the schedule to afternoons.
        var midnight = from.UnixMilliseconds - (from.UnixMilliseconds % (long)TimeSpan.FromDays(1).TotalMilliseconds);
        return new EventTime(midnight).Plus(TimeSpan.FromDays(days) + TimeSpan.FromHours(Hour));
    }
}
