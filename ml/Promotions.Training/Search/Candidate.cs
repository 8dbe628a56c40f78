using System.Globalization;

namespace Promotions.Training.Search;

/// <summary>A way to learn. Declared cheapest to serve first.</summary>
public enum Family : byte { Logistic = 0, LightGbm = 1, FastTree = 2, FastForest = 3, Blend = 4 }

/// <summary>One setting of a family.</summary>
/// <param name="Min">Least value; for a choice 0.</param>
/// <param name="Max">Greatest value; for a choice the last index.</param>
/// <param name="Default">Where the search begins.</param>
public sealed record Setting(string Name, double Min, double Max, double Default, SettingScale Scale)
{
    /// <param name="unit">0 to 1.</param>
    public double At(double unit) => Scale switch
    {
        SettingScale.Linear => Min + (unit * (Max - Min)),
        SettingScale.Logarithmic => Math.Exp(Math.Log(Min) + (unit * (Math.Log(Max) - Math.Log(Min)))),
        SettingScale.LogarithmicWhole => Math.Round(Math.Exp(Math.Log(Min) + (unit * (Math.Log(Max) - Math.Log(Min))))),
        _ => Math.Min(Math.Floor(unit * (Max + 1)), Max),
    };

    public double UnitOf(double value) => Scale switch
    {
        SettingScale.Linear => (value - Min) / (Max - Min),
        SettingScale.Choice => (value + 0.5) / (Max + 1),
        _ => (Math.Log(value) - Math.Log(Min)) / (Math.Log(Max) - Math.Log(Min)),
    };
}

public enum SettingScale : byte { Linear = 0, Logarithmic = 1, LogarithmicWhole = 2, Choice = 3 }

/// <summary>A pipeline that can be tried: family, encoding, class weight and the learner's settings.</summary>
/// <param name="Values">In the order of <see cref="SearchSpace.Of"/>.</param>
public sealed record Candidate(Family Family, IReadOnlyList<double> Values)
{
    public double this[string setting]
    {
        get
        {
            var settings = SearchSpace.Of(Family);
            for (var i = 0; i < settings.Count; i++)
                if (settings[i].Name == setting) return Values[i];
            throw new ArgumentException($"{Family} has no setting '{setting}'.", nameof(setting));
        }
    }

    /// <summary>Family and settings in words; equal for equal candidates.</summary>
    public string Name => $"{SearchSpace.NameOf(Family)} {string.Join(' ', SearchSpace.Of(Family).Select((setting, i) => string.Create(CultureInfo.InvariantCulture, $"{setting.Name}={Text(setting, Values[i])}")))}";

    private static string Text(Setting setting, double value) => setting.Name == SearchSpace.Encoding
        ? ((MissingEncoding)(int)value).ToString().ToLowerInvariant()
        : value.ToString(setting.Scale is SettingScale.LogarithmicWhole or SettingScale.Choice ? "0" : "0.#####", CultureInfo.InvariantCulture);
}

/// <summary>What may be tried.</summary>
public static class SearchSpace
{
    internal const string Encoding = "missing", AbuseWeight = "abuse_weight", Trees = "trees", Leaves = "leaves", Rate = "rate", LeafRows = "leaf_rows", FeatureShare = "features", RowShare = "rows", L1 = "l1", L2 = "l2";

    public static readonly IReadOnlyList<Family> Families = [Family.LightGbm, Family.Logistic, Family.FastTree, Family.FastForest, Family.Blend];

    private static readonly Setting[] Boosted =
    [
        Whole(Trees, 50, 400, 200), Whole(Leaves, 4, 63, 31), new(Rate, 0.02, 0.2, 0.05, SettingScale.Logarithmic), Whole(LeafRows, 10, 400, 40),
        new(FeatureShare, 0.2, 1, 1, SettingScale.Linear), new(AbuseWeight, 1, 10, 1, SettingScale.Logarithmic),
    ];

    private static readonly Dictionary<Family, Setting[]> Settings = new()
    {
        [Family.LightGbm] = [.. Boosted, new(RowShare, 0.4, 1, 1, SettingScale.Linear), new(L2, 0.1, 20, 1, SettingScale.Logarithmic), Choice(Encoding, 3, (int)MissingEncoding.Native)],
        [Family.FastTree] = [.. Boosted, Choice(Encoding, 2, (int)MissingEncoding.Lowest)],
        [Family.FastForest] = [Whole(Trees, 30, 300, 100), Whole(Leaves, 8, 127, 31), Whole(LeafRows, 5, 200, 20), new(FeatureShare, 0.2, 1, 0.5, SettingScale.Linear), new(AbuseWeight, 1, 10, 1, SettingScale.Logarithmic), Choice(Encoding, 2, (int)MissingEncoding.Lowest)],
        [Family.Logistic] = [new(L1, 1e-4, 1, 1e-2, SettingScale.Logarithmic), new(L2, 1e-4, 1, 1e-2, SettingScale.Logarithmic), new(AbuseWeight, 1, 10, 1, SettingScale.Logarithmic)],
        [Family.Blend] = [.. Boosted, Choice(Encoding, 2, (int)MissingEncoding.Lowest)],
    };

    public static IReadOnlyList<Setting> Of(Family family) => Settings[family];

    /// <summary>For LightGBM what <c>promotions-ml train</c> learns with.</summary>
    public static Candidate Default(Family family) => new(family, [.. Settings[family].Select(setting => setting.Default)]);

    public static string NameOf(Family family) => family switch { Family.LightGbm => "lightgbm", Family.FastTree => "fast_tree", Family.FastForest => "fast_forest", Family.Logistic => "logistic", _ => "blend" };

    private static Setting Whole(string name, int min, int max, int standard) => new(name, min, max, standard, SettingScale.LogarithmicWhole);
    private static Setting Choice(string name, int count, int standard) => new(name, 0, count - 1, standard, SettingScale.Choice);
}

/// <summary>What a learner sees for a missing value.</summary>
public enum MissingEncoding : byte { Lowest = 0, Highest = 1, Native = 2 }
