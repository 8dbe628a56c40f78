namespace Promotions.Admin.Hosting;

/// <summary>Settings of the dashboard.</summary>
public sealed class AdminOptions
{
    /// <summary>Answer browsers on other machines. Default false: loopback only, because the dashboard shows customers and their scores.</summary>
    public bool AllowRemote { get; set; }

    /// <summary>How long a sign-in lasts without a click. Default 8 hours, a working day.</summary>
    public TimeSpan SessionLength { get; set; } = TimeSpan.FromHours(8);

    /// <summary>How often open pages read again. Default 1 s.</summary>
    public TimeSpan RefreshEvery { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a page that reads nothing by itself asks whether its key still opens the dashboard. Default 5 s.</summary>
    public TimeSpan SessionCheckEvery { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a campaign's open result asks for new facts. Default 10 s: each answer costs ClickHouse some queries.</summary>
    public TimeSpan ResultsEvery { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Wrong keys that one address may try in <see cref="SignInWindow"/>. Default 10.</summary>
    public int SignInTriesPerAddressMax { get; set; } = 10;

    /// <summary>Wrong keys that all addresses together may try in <see cref="SignInWindow"/>. Default 100.</summary>
    public int SignInTriesMax { get; set; } = 100;

    /// <summary>Default 5 minutes.</summary>
    public TimeSpan SignInWindow { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Where the model comes from, in a sentence: "Trained on seeded days 2026-01-01 to 2026-03-01". Null: not said.</summary>
    public Func<string?> ModelSentence { get; set; } = static () => null;
}
