namespace Promotions.ClickHouse.Http;

/// <summary>What a statement may not contain here, and whether it only reads. Reads tokens, not text: a word in a string or comment is no call.</summary>
/// <remarks>The embedded engine has one user, who owns everything, so the doors to other machines and to this machine's files are shut
/// before the engine sees the statement: table functions, engines, sources of dictionaries, files as input, output and backup.</remarks>
internal static class SqlGuard
{
    private static readonly HashSet<string> Outside = new(StringComparer.OrdinalIgnoreCase)
    {
        "url", "urlCluster", "file", "fileCluster", "s3", "s3Cluster", "gcs", "oss", "cosn", "azureBlobStorage", "azureBlobStorageCluster", "hdfs", "hdfsCluster",
        "remote", "remoteSecure", "cluster", "clusterAllReplicas", "mysql", "postgresql", "mongodb", "redis", "sqlite", "odbc", "jdbc", "executable", "executablePool",
        "deltaLake", "deltaLakeS3", "deltaLakeAzure", "deltaLakeLocal", "deltaLakeCluster", "deltaLakeS3Cluster", "deltaLakeAzureCluster", "hudi", "hudiCluster",
        "iceberg", "icebergS3", "icebergAzure", "icebergHDFS", "icebergLocal", "icebergCluster", "icebergS3Cluster", "icebergAzureCluster", "icebergHDFSCluster",
        "paimon", "paimonS3", "paimonLocal", "paimonAzure", "paimonHDFS", "paimonCluster", "python", "arrowFlight", "ytsaurus", "http", "clickhouse", "cassandra",
        "catboostEvaluate", "disk", "azureQueue", "s3Queue", "kafka", "rabbitMQ", "nats", "distributed", "externalDistributed", "fileLog", "postgreSQL", "materializedPostgreSQL",
        "materializedMySQL", "dictionary_library", "library", "prometheusQuery", "prometheusQueryRange",
    };

    private static readonly HashSet<string> Readers = new(StringComparer.OrdinalIgnoreCase) { "SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN" };
    private static readonly HashSet<string> NeverFirst = new(StringComparer.OrdinalIgnoreCase) { "BACKUP", "RESTORE", "ATTACH", "SYSTEM" };

    /// <param name="Refusal">Why the statement is not run, or null.</param>
    /// <param name="OnlyReads">It may run with <c>readonly = 1</c>: it starts with a reading word and sets nothing.</param>
    /// <param name="Data">Where an insert's data lies behind its statement; null when it has none.</param>
    internal readonly record struct Finding(string? Refusal, bool OnlyReads, InsertData? Data = null);

    /// <param name="StatementEnd">The insert without its VALUES or FORMAT ends here, exclusive.</param>
    /// <param name="Start">First byte of the data.</param>
    internal readonly record struct InsertData(int StatementEnd, string Format, int Start);

    public static Finding Inspect(ReadOnlySpan<byte> statement)
    {
        var tokens = new SqlTokens(statement);
        string? first = null, previous = null;
        var (depth, sets, selects, ended, engine, afterDot) = (0, false, false, false, false, false);
        while (tokens.MoveNext())
        {
            if (ended) return new("Send one statement at a time.", false);
            if (tokens.Kind is not SqlTokenKind.Word)
            {
                if (tokens.Kind is SqlTokenKind.Open && previous is not null && Outside.Contains(previous)) return Reaches(previous);
                depth += tokens.Kind switch { SqlTokenKind.Open => 1, SqlTokenKind.Close => -1, _ => 0 };
                ended = tokens.Kind is SqlTokenKind.End;
                engine = tokens.Kind is SqlTokenKind.Equals && Is(previous, "ENGINE");
                afterDot = tokens.Kind is SqlTokenKind.Dot;
                previous = null;
                continue;
            }

            var word = tokens.Text;
            first ??= word;
            if (engine && Outside.Contains(word)) return Reaches(word);
            if (!tokens.Quoted)
            {
                if (Is(word, "OUTFILE") || Is(word, "INFILE") || (previous is null && ReferenceEquals(first, word) && NeverFirst.Contains(word)))
                    return new($"{word} is not available in the embedded engine.", false);
                sets |= Is(word, "SETTINGS");
                selects |= Is(word, "SELECT") || Is(word, "WITH");
                // Behind an insert's VALUES or FORMAT stands data, which is not ours to read. A table may bear either name.
                if (Is(first, "INSERT") && !selects && depth == 0 && (Is(word, "VALUES") || Is(word, "FORMAT")) && !afterDot && !Is(previous, "INTO") && !Is(previous, "TABLE"))
                    return new(null, false, DataBehind(statement, ref tokens));
            }

            engine = Is(word, "ENGINE");   // the equals sign may be left out
            (previous, afterDot) = (word, false);
        }

        return new(null, first is not null && Readers.Contains(first) && !sets);
    }

    /// <summary>As ClickHouse reads it: blanks behind the format's name and one line end are not data.</summary>
    private static InsertData? DataBehind(ReadOnlySpan<byte> statement, ref SqlTokens tokens)
    {
        var statementEnd = tokens.Start;
        if (Is(tokens.Text, "VALUES")) return new(statementEnd, "Values", tokens.End);
        if (!tokens.MoveNext() || tokens.Kind is not SqlTokenKind.Word) return null;
        var (format, start) = (tokens.Text, tokens.End);
        while (start < statement.Length && statement[start] is (byte)' ' or (byte)'\t' or 0x0C) start++;
        if (start < statement.Length && statement[start] == (byte)'\r') start++;
        if (start < statement.Length && statement[start] == (byte)'\n') start++;
        return new(statementEnd, format, start);
    }

    private static bool Is(string? word, string keyword) => string.Equals(word, keyword, StringComparison.OrdinalIgnoreCase);
    private static Finding Reaches(string word) => new($"{word} is not available in the embedded engine: it reaches outside of the data folder.", false);
}
