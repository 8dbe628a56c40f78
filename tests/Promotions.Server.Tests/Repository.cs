namespace Promotions.Server.Tests;

internal static class Repository
{
    /// <summary>The checkout that these tests were built from.</summary>
    public static readonly string Root = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Promotions.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Promotions.sln is not above the test's folder.");
    }
}
