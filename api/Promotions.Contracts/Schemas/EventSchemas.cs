using System.Collections.Frozen;
using System.Security.Cryptography;

namespace Promotions.Contracts.Schemas;

/// <summary>JSON Schema (2020-12) of one public topic's value, as it is published.</summary>
/// <param name="Name">The topic's, without a prefix.</param>
/// <param name="ETag">Strong, with its quotes: of these bytes.</param>
public sealed record EventSchema(string Name, ReadOnlyMemory<byte> Bytes, string ETag)
{
    public string Path => $"{EventSchemas.Path}/{Name}.json";
}

/// <summary>The event schemas of this build. Within a version they change only so that old writers and old readers go on: see DECISIONS.</summary>
public static class EventSchemas
{
    public const string Version = "v1";
    public const string Path = "/schemas/" + Version;
    private const string ResourcePrefix = "schemas/" + Version + "/";

    private static readonly FrozenDictionary<string, EventSchema> ByName = Load().ToFrozenDictionary(schema => schema.Name, StringComparer.Ordinal);

    /// <summary>By name.</summary>
    public static IReadOnlyList<EventSchema> All { get; } = [.. ByName.Values.OrderBy(schema => schema.Name, StringComparer.Ordinal)];

    /// <param name="name">The topic's, or the file's.</param>
    /// <returns>Null when there is none.</returns>
    public static EventSchema? Find(string name) => ByName.GetValueOrDefault(name.EndsWith(".json", StringComparison.Ordinal) ? name[..^".json".Length] : name);

    private static IEnumerable<EventSchema> Load()
    {
        var assembly = typeof(EventSchemas).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(ResourcePrefix, StringComparison.Ordinal)) continue;
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            yield return new(resource[ResourcePrefix.Length..^".json".Length], bytes, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\"");
        }
    }
}
