using System.Text.RegularExpressions;

namespace Promotions.Server.Tests;

/// <summary>What a document calls by name is there to be found.</summary>
public sealed partial class DocumentsNameWhatIsThere
{
    [Fact]
    public void Each_test_that_a_document_names_exists()
    {
        var tests = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories).Where(IsOurs)
            .SelectMany(file => Declared().Matches(File.ReadAllText(file)).Select(found => found.Groups[1].Value)).ToHashSet(StringComparer.Ordinal);
        var named = Directory.EnumerateFiles(Repository.Root, "*.md", SearchOption.AllDirectories).Where(IsOurs)
            .SelectMany(file => Named().Matches(File.ReadAllText(file)).Select(found => (File: Path.GetRelativePath(Repository.Root, file), Start: found.Groups[1].Value, Whole: !found.Groups[2].Success))).ToList();

        Assert.True(named.Count >= 10, "The pattern finds hardly any.");
        Assert.All(named, name => Assert.True(
            name.Whole ? tests.Contains(name.Start) : tests.Any(test => test.StartsWith(name.Start, StringComparison.Ordinal)), $"{name.File} names the test {name.Start}, which is not there."));
    }

    private static bool IsOurs(string file) => !file.Contains("/bin/", StringComparison.Ordinal) && !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/artifacts/", StringComparison.Ordinal);

    /// <summary>A sentence of words joined by underscores, in code quotes; three points stand for its end.</summary>
    [GeneratedRegex(@"`([A-Z][a-z0-9]*(?:_[A-Za-z0-9]+){2,})(\.\.\.)?[^`]*`")]
    private static partial Regex Named();

    [GeneratedRegex(@"\b(?:void|Task)\s+([A-Z]\w*_\w+)\(")]
    private static partial Regex Declared();
}
