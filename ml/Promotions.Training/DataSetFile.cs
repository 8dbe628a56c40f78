using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json;

namespace Promotions.Training;

/// <summary>Data sets on disk.</summary>
/// <remarks>
/// gzip of: one line of JSON (<c>format, version, layout, trained_on, seed, features, entities, groups</c>), a line feed, then rows until the end. A row is little-endian:
/// int64 event time in Unix milliseconds, float32 weight, byte label (0 honest, 1 abuse), then float32 per feature, NaN for missing, then uint64 per entity kind where the header's
/// <c>entities</c> counts them, 0 for none, then, where the header names <c>groups</c>, a byte: the row's, counted from 1, 0 for none. Version 1 has no entities, version 2 no groups.
/// </remarks>
public static class DataSetFile
{
    private const string Format = "promotions-dataset";
    private const int Version = 3;
    private const int GroupsMax = 255;
    private const int FixedBytes = 13;
    private const int HeaderBytesMax = 1 << 20;
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private sealed record Header(string? Format, int Version, string? Layout, string? TrainedOn, long Seed, string[]? Features, int Entities = 0, string[]? Groups = null);

    public static void Write(Stream stream, DataSet data)
    {
        var kinds = data.Rows.Count > 0 && data.Rows[0].Entities is { } first ? first.Length : 0;
        string[] groups = [.. data.Rows.Where(row => row.Group is not null).Select(row => row.Group!).Distinct().Order(StringComparer.Ordinal)];
        if (groups.Length > GroupsMax) throw new InvalidDataException($"The rows have {groups.Length} groups; a data set names {GroupsMax} at most.");
        using var zip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true);
        zip.Write(JsonSerializer.SerializeToUtf8Bytes(new Header(Format, Version, data.LayoutHash.ToString("x16", System.Globalization.CultureInfo.InvariantCulture), data.TrainedOn, data.Seed, data.Features, kinds, groups.Length > 0 ? groups : null), Json));
        zip.WriteByte((byte)'\n');
        var bytes = new byte[FixedBytes + (4 * data.Features.Length) + (8 * kinds) + (groups.Length > 0 ? 1 : 0)];
        foreach (var row in data.Rows)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes, row.At.UnixMilliseconds);
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(8), row.Weight);
            bytes[12] = row.Abuse ? (byte)1 : (byte)0;
            for (var f = 0; f < row.Vector.Length; f++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(FixedBytes + (4 * f)), row.Vector[f]);
            for (var k = 0; k < kinds; k++) BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(FixedBytes + (4 * row.Vector.Length) + (8 * k)), row.Entities![k]);
            if (groups.Length > 0) bytes[^1] = row.Group is null ? (byte)0 : (byte)(Array.BinarySearch(groups, row.Group, StringComparer.Ordinal) + 1);
            zip.Write(bytes);
        }
    }

    /// <exception cref="InvalidDataException">Not a data set, newer, or cut short.</exception>
    public static DataSet Read(Stream stream)
    {
        using var zip = new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true);
        using var buffered = new BufferedStream(zip, 1 << 16);
        var header = ReadHeader(buffered);
        if (header.Features is not { Length: > 0 } features || !ulong.TryParse(header.Layout, System.Globalization.NumberStyles.AllowHexSpecifier, null, out var layout))
            throw new InvalidDataException("The data set's header lacks its features or its layout.");

        var rows = new List<TrainingRow>();
        if (header.Entities is < 0 or > 64) throw new InvalidDataException($"The data set's header says {header.Entities} kinds of entity.");
        var groups = header.Groups ?? [];
        var bytes = new byte[FixedBytes + (4 * features.Length) + (8 * header.Entities) + (groups.Length > 0 ? 1 : 0)];
        while (true)
        {
            var read = buffered.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (read == 0) break;
            if (read < bytes.Length) throw new InvalidDataException($"The data set is cut short in row {rows.Count}.");
            if (bytes[12] > 1) throw new InvalidDataException($"Row {rows.Count} has the label {bytes[12]}.");
            var vector = new float[features.Length];
            for (var f = 0; f < vector.Length; f++) vector[f] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(FixedBytes + (4 * f)));
            var entities = header.Entities == 0 ? null : new ulong[header.Entities];
            for (var k = 0; k < header.Entities; k++) entities![k] = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(FixedBytes + (4 * features.Length) + (8 * k)));
            if (groups.Length > 0 && bytes[^1] > groups.Length) throw new InvalidDataException($"Row {rows.Count} has the group {bytes[^1]} of {groups.Length}.");
            rows.Add(new(vector, bytes[12] == 1, BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(8)), new(BinaryPrimitives.ReadInt64LittleEndian(bytes)), entities, groups.Length > 0 && bytes[^1] > 0 ? groups[bytes[^1] - 1] : null));
        }
        var data = new DataSet(layout, features, header.TrainedOn ?? "", header.Seed, rows);
        data.Validate();
        return data;
    }

    private static Header ReadHeader(Stream stream)
    {
        var line = new List<byte>();
        for (var next = stream.ReadByte(); next != '\n'; next = stream.ReadByte())
        {
            if (next < 0 || line.Count == HeaderBytesMax) throw new InvalidDataException("Not a data set: it has no header line.");
            line.Add((byte)next);
        }
        Header? header;
        try
        {
            header = JsonSerializer.Deserialize<Header>(line.ToArray(), Json);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("Not a data set: its header is not JSON.", e);
        }
        if (header?.Format != Format) throw new InvalidDataException("Not a data set: its header does not say so.");
        return header.Version is >= 1 and <= Version ? header : throw new InvalidDataException($"The data set has version {header.Version}; this program reads up to {Version}.");
    }
}
