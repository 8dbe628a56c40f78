using System.Globalization;
using Promotions.Api.Geography;
using Promotions.Contracts.Intake;

namespace Promotions.Server.Geography;

/// <summary>Reads the database and the lists that the settings name. Where none is named the system runs without, and its features are missing, not zero.</summary>
internal static class IpPlaces
{
    public const string CountriesSetting = "PROMOTIONS_IP_COUNTRIES";
    public const string HostingSetting = "PROMOTIONS_IP_HOSTING";
    public const string TorSetting = "PROMOTIONS_IP_TOR";

    /// <exception cref="StartRefusedException">A setting names a file that cannot be read.</exception>
    public static IpDirectory? FromEnvironment() => Load(Environment.GetEnvironmentVariable(CountriesSetting), Environment.GetEnvironmentVariable(HostingSetting), Environment.GetEnvironmentVariable(TorSetting));

    /// <param name="countries">As <see cref="CountryDatabase"/> reads it.</param>
    /// <param name="hosting">Addresses, prefixes or ranges, one a line; so is <paramref name="tor"/>.</param>
    /// <returns>Null where all three are null or empty.</returns>
    /// <exception cref="StartRefusedException">A file cannot be read.</exception>
    public static IpDirectory? Load(string? countries, string? hosting, string? tor)
    {
        if (countries is null or "" && hosting is null or "" && tor is null or "") return null;
        return new(countries is null or "" ? [] : Guarded(CountriesSetting, countries, CountryDatabase.Read), List(HostingSetting, hosting), List(TorSetting, tor));
    }

    /// <summary>What is known, for whoever starts the system.</summary>
    public static string Describe(IpDirectory? places) => places is null
        ? $"off: {CountriesSetting} names no database, and features of countries and distances are missing"
        : string.Create(CultureInfo.InvariantCulture, $"{places.CountryRanges:#,0} ranges of countries, {(places.HasHosting ? "a" : "no")} list of hosting providers, {(places.HasTor ? "a" : "no")} list of Tor exits");

    private static IReadOnlyList<IpRange>? List(string setting, string? path) => path is null or "" ? null : Guarded(setting, path, static file =>
    {
        using var reader = new StreamReader(file);
        return IpRange.ReadList(reader, Path.GetFileName(file));
    });

    private static T Guarded<T>(string setting, string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or FormatException or ArgumentException)
        {
            throw new StartRefusedException($"{setting} is '{path}', which cannot be used: {e.Message}", e);
        }
    }
}
