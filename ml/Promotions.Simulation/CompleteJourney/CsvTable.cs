using System.IO.Compression;
using System.Text;

namespace Promotions.Simulation.CompleteJourney;

/// <summary>Reads a gzip-compressed CSV table line by line: quoted or plain fields, none with a line break.</summary>
internal static class CsvTable
{
    /// <param name="columns">The header's names that are wanted; each row comes as their fields, in this order.</param>
    /// <exception cref="FormatException">A column is missing or a row has another number of fields than the header.</exception>
    public static IEnumerable<string[]> Read(string path, params string[] columns)
    {
        using var file = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var reader = new StreamReader(file, Encoding.UTF8);
        var name = Path.GetFileName(path);
        var fields = new List<string>();
        Split(reader.ReadLine() ?? throw new FormatException($"{name} is empty."), fields);
        var places = columns.Select(column => fields.IndexOf(column) is >= 0 and var place ? place : throw new FormatException($"{name} has no column {column}.")).ToArray();
        var count = fields.Count;
        for (var number = 2; reader.ReadLine() is { } line; number++)
        {
            Split(line, fields);
            if (fields.Count != count) throw new FormatException($"{name}, line {number}: {fields.Count} fields, not {count}.");
            yield return [.. places.Select(place => fields[place])];
        }
    }

    private static void Split(string line, List<string> fields)
    {
        fields.Clear();
        var field = new StringBuilder();
        var isQuoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (c == '"' && isQuoted && i + 1 < line.Length && line[i + 1] == '"') field.Append(line[i++]);
            else if (c == '"') isQuoted = !isQuoted;
            else if (c == ',' && !isQuoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else field.Append(c);
        }

        fields.Add(field.ToString());
    }
}
