using System.Globalization;

namespace Promotions.Features;

public enum FeatureUnit : byte { None = 0, Count = 1, MinorUnits = 2, Milliseconds = 3, Ratio = 4, Share = 5, HourOfDay = 6, DayOfWeek = 7, Flag = 8, KilometresPerHour = 9 }

/// <summary>How a feature is computed.</summary>
public enum Measure : byte { None = 0, Request = 1, Count = 2, Sum = 3, Distinct = 4, SinceFirst = 5, SinceLast = 6, Burst = 7, AbuseRate = 8, Travel = 9 }

/// <summary>The events that an entity keeps, in order of time.</summary>
public enum SeriesKind : byte { Attempts = 0, Refusals = 1, Labels = 2, Orders = 3, Returns = 4, Places = 5 }

/// <summary>The sets of distinct others that an entity keeps.</summary>
public enum OtherKind : byte { Accounts = 0, Devices = 1, Ips = 2, Codes = 3, InvalidCodes = 4 }

public enum Exactness : byte
{
    None = 0,
    /// <summary>Exact to the millisecond, rounded once to float32.</summary>
    Exact = 1,
    /// <summary>Exact up to <see cref="FeatureRegistry.DistinctMax"/> others; beyond it "at least" that many.</summary>
    LowerBoundBeyondSet = 2,
}

/// <summary>One number for several entities of one kind: a request may name more than one code.</summary>
public enum Combine : byte { None = 0, Largest = 1, Smallest = 2 }

/// <summary>One feature: what it is, and what may be said of it.</summary>
/// <param name="Index">In the vector.</param>
/// <param name="Name">snake_case, unique, stable over layouts while the meaning is.</param>
/// <param name="Entity">None for features of the request itself.</param>
/// <param name="Window">Milliseconds; 0 where the feature has none.</param>
/// <param name="Source">A <see cref="SeriesKind"/> or <see cref="OtherKind"/> by measure; 0 for the request's.</param>
/// <param name="Absent">What a missing value means when the request names no such entity.</param>
/// <param name="Late">What a missing value means when the late mask has the entity's bit.</param>
/// <param name="Template">The sentence for reasons; <c>{0}</c> is the value.</param>
public sealed record FeatureDefinition(
    int Index, string Name, EntityKind Entity, FeatureUnit Unit, long Window, Measure Measure, byte Source, Exactness Exactness, Combine Combine,
    string Description, string Absent, string Late, string Template)
{
    /// <summary>The reason without a comparison: "9 accounts redeemed from this device in 24 h".</summary>
    /// <param name="currency">ISO 4217, for amounts.</param>
    public string Sentence(float value, string currency) => string.Format(CultureInfo.InvariantCulture, Template, Text(value, currency));

    /// <summary>The value in its unit, for people; "unknown" for NaN.</summary>
    public string Text(float value, string currency)
    {
        if (float.IsNaN(value)) return "unknown";
        var text = Unit switch
        {
            FeatureUnit.MinorUnits => Amount(value, currency),
            FeatureUnit.Milliseconds => Duration(value),
            FeatureUnit.Share => Format(value * 100, "0.#") + " %",
            FeatureUnit.Ratio => Format(value, "0.#"),
            FeatureUnit.KilometresPerHour => Format(value, "#,0") + " km/h",
            FeatureUnit.DayOfWeek => ((DayOfWeek)(int)value).ToString(),
            FeatureUnit.Flag => value > 0 ? "yes" : "no",
            _ => Format(value, "#,0"),
        };
        return Exactness == Exactness.LowerBoundBeyondSet && value >= FeatureRegistry.DistinctMax ? "at least " + text : text;
    }

    private static string Amount(float value, string currency)
    {
        var decimals = currency switch { "JPY" or "KRW" or "VND" or "CLP" or "ISK" => 0, "BHD" or "KWD" or "OMR" or "TND" or "JOD" => 3, _ => 2 };
        return Format(value / Math.Pow(10, decimals), "#,0." + new string('0', decimals)) + " " + currency;
    }

    private static string Duration(float milliseconds) => milliseconds switch
    {
        < Windows.OneMinute => Format(milliseconds / 1000, "0.#") + " s",
        < Windows.OneHour => Format(milliseconds / Windows.OneMinute, "0.#") + " min",
        < Windows.OneDay => Format(milliseconds / Windows.OneHour, "0.#") + " h",
        _ => Format(milliseconds / Windows.OneDay, "0.#") + " days",
    };

    private static string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
