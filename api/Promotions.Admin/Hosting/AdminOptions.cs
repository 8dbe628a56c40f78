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

    /// <summary>Where the model comes from, in a sentence: "Trained on seeded days 2026-01-01 to 2026-03-01". Null: not said.</summary>
    public string? ModelSentence { get; set; }
}
