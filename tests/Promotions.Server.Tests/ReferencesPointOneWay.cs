using System.Xml.Linq;

namespace Promotions.Server.Tests;

/// <summary>The layout's promise: most of the system can be read and tested without a broker, a database or a web server.</summary>
public class ReferencesPointOneWay
{
    private static readonly string Root = Repository.Root;

    private static readonly string[] Pure =
    [
        "pipeline/Promotions.Domain", "pipeline/Promotions.Streams", "pipeline/Promotions.Features", "pipeline/Promotions.Ledger",
        "pipeline/Promotions.Processing", "ml/Promotions.Scoring", "ml/Promotions.Simulation",
    ];

    private static readonly string[] AllowedInPure = ["System.IO.Hashing", "NSec.Cryptography", "Microsoft.CodeAnalysis.BannedApiAnalyzers"];

    private static readonly string[][] Layers =
    [
        ["Promotions.Domain"],
        ["Promotions.Features", "Promotions.Streams", "Promotions.Ledger", "Promotions.Scoring", "Promotions.Simulation", "Promotions.ClickHouse", "Promotions.Contracts"],
        ["Promotions.Processing"],
        ["Promotions.Streams.RocksDb", "Promotions.Ledger.Sqlite", "Promotions.Ledger.Postgres", "Promotions.Analytics"],
        ["Promotions.Streams.Kafka", "Promotions.Training"],
        ["Promotions.Processing.Kafka"],
        ["Promotions.Api", "Promotions.Admin"],
        ["Promotions.Server"],
    ];

    public static TheoryData<string> PureProjects => [.. Pure];

    public static TheoryData<string> AllProjects =>
        [.. Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories)
            .Select(p => Path.GetRelativePath(Root, p))
            .Where(p => !p.StartsWith("tests", StringComparison.Ordinal) && !p.Contains("/obj/", StringComparison.Ordinal) && !p.StartsWith('.'))
            .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(PureProjects))]
    public void A_pure_project_references_no_database_broker_or_web_package(string project)
    {
        var file = XDocument.Load(Path.Combine(Root, project, Path.GetFileName(project) + ".csproj"));

        Assert.Empty(file.Descendants("FrameworkReference"));
        Assert.All(file.Descendants("PackageReference"), p => Assert.Contains(p.Attribute("Include")!.Value, AllowedInPure));
        Assert.All(file.Descendants("ProjectReference"), p => Assert.Contains(
            Path.GetFileNameWithoutExtension(p.Attribute("Include")!.Value.Replace('\\', '/')), Pure.Select(x => Path.GetFileName(x))));
    }

    [Theory]
    [MemberData(nameof(AllProjects))]
    public void A_project_references_only_layers_below_its_own(string projectFile)
    {
        var layer = LayerOf(Path.GetFileNameWithoutExtension(projectFile));

        Assert.All(
            XDocument.Load(Path.Combine(Root, projectFile)).Descendants("ProjectReference"),
            p => Assert.True(
                LayerOf(Path.GetFileNameWithoutExtension(p.Attribute("Include")!.Value.Replace('\\', '/'))) < layer,
                $"{projectFile} references {p.Attribute("Include")!.Value}, which is not below it."));
    }

    private static int LayerOf(string project)
    {
        var layer = Array.FindIndex(Layers, l => l.Contains(project));
        Assert.True(layer >= 0, $"{project} has no layer: give it one here.");
        return layer;
    }
}
