using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Domain;

namespace Promotions.Simulation.Abuse;

/// <summary>A scenario file that says something the format does not know. The message names the file and the member.</summary>
public sealed class ScenarioFormatException(string message, Exception? inner = null) : FormatException(message, inner);

/// <summary>Reads scenario files strictly: unknown, missing and impossible members are errors, never defaults.</summary>
public static class ScenarioReader
{
    private static readonly JsonSerializerOptions s_strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
    };

    /// <summary>The four kinds that a simulated shop meets unless it is told otherwise, by kind.</summary>
    public static IReadOnlyList<Scenario> Shipped { get; } = Read(further: false);

    /// <summary>Twelve kinds: <see cref="Shipped"/> and eight more, among them some that take care to hide. Whoever measures how models generalise wants them.</summary>
    public static IReadOnlyList<Scenario> All { get; } = [.. Shipped, .. Read(further: true)];

    /// <param name="source">The file's name, for messages.</param>
    /// <exception cref="ScenarioFormatException">The text is no scenario.</exception>
    public static Scenario Parse(string json, string source)
    {
        Scenario scenario;
        try
        {
            scenario = JsonSerializer.Deserialize<Scenario>(json, s_strict) ?? throw new ScenarioFormatException($"{source}: the file says null; a scenario is an object.");
        }
        catch (JsonException e)
        {
            throw new ScenarioFormatException($"{source}: {e.Message}", e);
        }

        return Validate(scenario) is { } problem ? throw new ScenarioFormatException($"{source}: {problem}") : scenario;
    }

    private static string? Validate(Scenario s)
    {
        if (s.Format != 1) return $"format is {s.Format}; this version reads format 1.";
        if (s.Kind.Length is < 1 or > 40 || s.Kind.Any(static c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '_')) return "kind must be 1 to 40 of a-z, 0-9 and _.";
        if (s.Kind.StartsWith("honest", StringComparison.Ordinal)) return "kind must not begin with honest: those are the honest kinds.";
        if (!(s.RingsPerMonth is > 0 and <= 1_000)) return "rings_per_month must be above 0 and at most 1,000.";
        return Range(s.DurationHours, "duration_hours", 1, 2_160) ?? Range(s.HoursOfDay, "hours_of_day", 0, 23) ?? Range(s.Accounts, "accounts", 1, 10_000)
            ?? Range(s.AttemptsPerAccount, "attempts_per_account", 1, 10_000) ?? Range(s.GapSeconds, "gap_seconds", 0, 2_592_000)
            ?? Range(s.AccountAgeHours, "account_age_hours", 0, 87_600)
            ?? Range(s.Pools.Devices, "pools.devices", 0, 10_000) ?? Range(s.Pools.Ips, "pools.ips", 0, 10_000)
            ?? Range(s.Pools.PaymentTokens, "pools.payment_tokens", 0, 10_000) ?? Range(s.Pools.Addresses, "pools.addresses", 0, 10_000)
            ?? OneOf(s.Pools.IpKind, "pools.ip_kind", "home", "hosting", "carrier") ?? Codes(s.Codes)
            ?? Range(s.Cart.ValueMinorUnits, "cart.value_minor_units", 1, 100_000_000) ?? (s.Cart.LinesMax is < 1 or > 50 ? "cart.lines_max must be 1 to 50." : null)
            ?? (s.Channels.Count == 0 || s.Channels.Any(static c => !Identifier.IsValid(c)) ? "channels must name at least one channel: 1 to 64 of A-Z a-z 0-9 . _ : -" : null)
            ?? Share(s.ValidationShare, "validation_share") ?? Share(s.AfterApproval.CaptureShare, "after_approval.capture_share")
            ?? Share(s.AfterApproval.ReturnShare, "after_approval.return_share") ?? Share(s.AfterApproval.ReturnedPart, "after_approval.returned_part")
            ?? Range(s.AfterApproval.ReturnAfterHours, "after_approval.return_after_hours", 1, 8_760) ?? Range(s.Labels.ReviewHours, "labels.review_hours", 0, 720)
            ?? Share(s.Labels.RefusedReviewShare, "labels.refused_review_share") ?? Share(s.Labels.LateShare, "labels.late_share")
            ?? Range(s.Labels.LateDays, "labels.late_days", 0, 365) ?? OneOf(s.Labels.LateSource, "labels.late_source", "chargeback", "refund");
    }

    private static string? Codes(CodeChoice codes) => OneOf(codes.Source, "codes.source", "known", "guess")
        ?? Share(codes.HitShare, "codes.hit_share")
        ?? (codes.Known.Any(static code => !IsCode(code)) ? "codes.known holds a code that is empty, longer than 64 or not in upper case." : null)
        ?? (codes.Source == "known" && codes.Known.Count == 0 ? "codes.known must name at least one code where source is known." : null)
        ?? (codes.Source == "guess" && !IsCode(codes.Pattern ?? "") ? "codes.pattern must be given, in upper case, where source is guess." : null)
        ?? (codes.HitShare > 0 && codes.Known.Count == 0 ? "codes.hit_share needs codes.known." : null);

    private static bool IsCode(string code) => code.Length is >= 1 and <= 64 && !code.Any(static c => char.IsWhiteSpace(c) || char.IsLower(c));

    // Negated comparisons: NaN is out of every range.
    private static string? Range(NumberRange? range, string member, double min, double max) => range is null ? null
        : !(range.Min >= min && range.Max <= max) ? $"{member} must lie within {min} to {max}." : !(range.Min <= range.Max) ? $"{member}.min is above {member}.max." : null;

    private static string? Share(double share, string member) => share is >= 0 and <= 1 ? null : $"{member} must be 0 to 1.";

    private static string? OneOf(string value, string member, params string[] words) => words.Contains(value) ? null : $"{member} must be one of {string.Join(", ", words)}; it is \"{value}\".";

    private static Scenario[] Read(bool further)
    {
        var assembly = Assembly.GetExecutingAssembly();
        return [.. assembly.GetManifestResourceNames().Where(name => name.EndsWith(".scenario.json", StringComparison.Ordinal) && name.Contains(".further.", StringComparison.Ordinal) == further).Order(StringComparer.Ordinal).Select(name =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return Parse(reader.ReadToEnd(), name);
        })];
    }
}
