using YamlDotNet.RepresentationModel;

namespace Promotions.Deploy.Tests;

/// <summary>Places in YAML documents, by a path of names and indices: <c>spec/containers/0/env</c>.</summary>
internal static class Yaml
{
    public static IReadOnlyList<YamlNode> Documents(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(document => document.RootNode).Where(node => node is YamlMappingNode)];
    }

    /// <summary>The node there; null when there is none.</summary>
    public static YamlNode? At(this YamlNode node, string path)
    {
        YamlNode? at = node;
        foreach (var step in path.Split('/'))
            at = at switch
            {
                YamlMappingNode members => members.Children.TryGetValue(new YamlScalarNode(step), out var child) ? child : null,
                YamlSequenceNode items => int.TryParse(step, out var index) && index < items.Children.Count ? items[index] : null,
                _ => null,
            };
        return at;
    }

    public static string? Text(this YamlNode node, string path) => (node.At(path) as YamlScalarNode)?.Value;

    public static IEnumerable<YamlNode> Items(this YamlNode node, string path) => node.At(path) is YamlSequenceNode items ? items.Children : [];

    public static IReadOnlyDictionary<string, string> Map(this YamlNode node, string path) => node.At(path) is YamlMappingNode members
        ? members.Children.ToDictionary(one => ((YamlScalarNode)one.Key).Value!, one => (one.Value as YamlScalarNode)?.Value ?? "") : new Dictionary<string, string>();

    public static IEnumerable<string> Names(this YamlNode node, string path) => node.At(path) is YamlMappingNode members ? members.Children.Keys.Select(key => ((YamlScalarNode)key).Value!) : [];
}
