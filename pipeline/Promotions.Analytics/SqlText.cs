namespace Promotions.Analytics;

/// <summary>Statements kept as files of their own, inside the assembly.</summary>
internal static class SqlText
{
    public static string Read(string resource)
    {
        using var stream = typeof(SqlText).Assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"No resource '{resource}'.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
