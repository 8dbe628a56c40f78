using System.Collections.Frozen;
using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Promotions.Admin.Hosting;

/// <summary>Styles and scripts, out of the assembly. A file asked for with the hash of its content may be kept by the browser for ever.</summary>
internal static class AdminFiles
{
    private const string Ours = "_content/Promotions.Admin/";

    private static readonly FrozenDictionary<string, Asset> All = typeof(AdminFiles).Assembly.GetManifestResourceNames()
        .Where(static name => name.StartsWith("_content/", StringComparison.Ordinal) || name.StartsWith("_framework/", StringComparison.Ordinal))
        .ToFrozenDictionary(static name => name, static name => new Asset(name), StringComparer.Ordinal);

    /// <summary>Address of a file of ours, with its hash.</summary>
    public static string Url(string file) => $"/{Ours}{file}?v={All[Ours + file].Hash}";

    public static string BlazorUrl => $"/_framework/blazor.web.js?v={All["_framework/blazor.web.js"].Hash}";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        foreach (var (path, asset) in All) endpoints.MapGet("/" + path, (HttpContext context) => Send(context, asset)).AllowAnonymous();
    }

    private static IResult Send(HttpContext context, Asset asset)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = context.Request.Query["v"] == asset.Hash ? "public, max-age=31536000, immutable" : "no-cache";
        headers.Vary = "Accept-Encoding";
        var packed = context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);
        if (packed) headers.ContentEncoding = "gzip";
        return Results.Bytes(packed ? asset.Packed : asset.Bytes, asset.ContentType, entityTag: new EntityTagHeaderValue($"\"{asset.Hash}{(packed ? "-gzip" : "")}\""));
    }

    private sealed class Asset
    {
        private readonly Lazy<byte[]> _packed;

        public Asset(string name)
        {
            using var stream = typeof(AdminFiles).Assembly.GetManifestResourceStream(name)!;
            Bytes = new byte[stream.Length];
            stream.ReadExactly(Bytes);
            Hash = Convert.ToHexStringLower(SHA256.HashData(Bytes).AsSpan(0, 8));
            ContentType = Path.GetExtension(name) switch
            {
                ".js" => "text/javascript; charset=utf-8",
                ".css" => "text/css; charset=utf-8",
                ".svg" => "image/svg+xml",
                var other => throw new InvalidOperationException($"No content type for {other}."),
            };
            _packed = new(Pack);
        }

        public byte[] Bytes { get; }
        public byte[] Packed => _packed.Value;
        public string Hash { get; }
        public string ContentType { get; }

        private byte[] Pack()
        {
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(Bytes);
            return packed.ToArray();
        }
    }
}
