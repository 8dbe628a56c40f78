using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Scoring;
using Promotions.Scoring.LightGbm;

namespace Promotions.Training;

/// <summary><c>promotions-ml</c>.</summary>
internal static class CommandLine
{
    internal static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Embedded, nothing is late; scaled, gather waits 30 ms. One part in five hundred keeps the model used to it.</summary>
    internal const double LateRateDefault = 0.002;

    public static RootCommand Create()
    {
        var root = new RootCommand("Makes, measures, shows and serves fraud models.") { DataSetCommand.Create(), SearchCommand.Create(), TrainCommand.Create(), RetrainCommand.Create(), EvaluateCommand.Create(), ReferenceCommand.Create(), OutliersCommand.Create(), Import(), Card(), Bootstrap(), Simulate() };
        foreach (var command in RegistryCommands.Create()) root.Add(command);
        return root;
    }

    /// <summary>Each kind of entity is one part: it comes whole or late.</summary>
    internal static int[][] PartsOfLayout() => [.. Entities.Kinds.Select(kind => FeatureRegistry.Block(kind)).Select(block => Enumerable.Range(block.Offset, block.Length).ToArray())];

    private static Command Import()
    {
        var source = new Option<FileInfo>("--lightgbm") { Description = "A model in LightGBM's text format; its feature names are the registry's.", Required = true };
        var output = new Option<FileInfo>("--out") { Description = "Model file to write.", Required = true };
        var command = new Command("import", "Makes a LightGBM model that was trained elsewhere a scorer with exact explanations.") { source, output };
        command.SetAction(parsed => Run(() =>
        {
            var text = File.ReadAllBytes(parsed.GetRequiredValue(source).FullName);
            var target = parsed.GetRequiredValue(output);
            var file = ImportedModelFile.Write(ImportedModelFile.Import(text, FeatureRegistry.LayoutHash, [.. FeatureRegistry.Features.Select(f => f.Name)], card: null));
            var scorer = ImportedScorer.Load(file);
            File.WriteAllBytes(target.FullName, file);
            Console.WriteLine($"{target.Name}: {scorer.ModelHash}");
        }));
        return command;
    }

    private static Command Card()
    {
        var model = ModelArgument();
        var command = new Command("card", "Shows where a model comes from, after checking that the file is whole.") { model };
        command.SetAction(parsed => Run(() =>
        {
            var scorer = TreeScorer.Load(File.ReadAllBytes(parsed.GetRequiredValue(model).FullName));
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                Hash = scorer.ModelHash,
                Layout = scorer.LayoutHash.ToString("x16", CultureInfo.InvariantCulture),
                Features = scorer.FeatureCount,
                Trees = scorer.Model.Trees.Length,
                LeavesMax = scorer.Model.Trees.Max(tree => tree.LeafCount),
                Calibration = scorer.Model.Calibration.Method,
                scorer.Model.Card,
            }, Json));
        }));
        return command;
    }

    private static Command Bootstrap()
    {
        const int RowsDefault = 100_000;
        var output = new Option<FileInfo>("--out") { Description = "Data set file to write.", Required = true };
        var seed = new Option<int>("--seed") { DefaultValueFactory = _ => 20250101, Description = "Of the rows." };
        var rows = new Option<int>("--rows") { DefaultValueFactory = _ => RowsDefault, Description = "How many." };
        var command = new Command("bootstrap", "Writes a data set drawn from rules of thumb, for a server without history.") { output, seed, rows };
        command.SetAction(parsed => Run(() => WriteDataSet(parsed.GetRequiredValue(output), BootstrapData.Create(parsed.GetValue(seed), parsed.GetValue(rows)))));
        return command;
    }

    private static Command Simulate()
    {
        var output = new Option<FileInfo>("--out") { Description = "Data set file to write.", Required = true };
        var seeds = new Option<ulong[]>("--seeds") { DefaultValueFactory = _ => [101, 102, 103, 104, 105, 106], AllowMultipleArgumentsPerToken = true, Description = "One simulated shop each." };
        var start = new Option<DateTimeOffset>("--from") { DefaultValueFactory = _ => new(2025, 9, 1, 0, 0, 0, TimeSpan.Zero), Description = "First day, UTC." };
        var days = new Option<int>("--days") { DefaultValueFactory = _ => 60, Description = "Days of rows; each shop runs 60 days longer, for its labels to arrive." };
        var command = new Command("simulate", "Writes a data set by replaying simulated shops through the topology that serves.") { output, seeds, start, days };
        command.SetAction(parsed => Run(() => WriteDataSet(
            parsed.GetRequiredValue(output), ReplayDataSet.Create(parsed.GetRequiredValue(seeds), EventTime.From(parsed.GetValue(start)), parsed.GetValue(days)))));
        return command;
    }

    private static void WriteDataSet(FileInfo file, DataSet data)
    {
        using var stream = file.Create();
        DataSetFile.Write(stream, data);
        Console.WriteLine($"{file.Name}: {data.Rows.Count} rows, {data.Rows.Count(row => row.Abuse)} of them abuse, layout {data.LayoutHash:x16}");
    }

    internal static Option<FileInfo> DataSetOption() => new("--dataset") { Description = "Data set file.", Required = true };

    internal static Argument<FileInfo> ModelArgument() => new("model") { Description = "Model file." };

    /// <summary>Chargebacks take up to 60 days: an attempt that nobody complained about by then counts as honest.</summary>
    private static readonly TimeSpan LabelDelay = TimeSpan.FromDays(60);

    internal static DataSet ReadDataSet(FileInfo file)
    {
        using var stream = file.OpenRead();
        return file.Extension == ParquetDataSet.Extension ? ParquetDataSet.ReadAsync(stream, LabelDelay, CancellationToken.None).GetAwaiter().GetResult() : DataSetFile.Read(stream);
    }

    internal static int Run(Action action) => RunAsync(() =>
    {
        action();
        return Task.CompletedTask;
    }).GetAwaiter().GetResult();

    /// <summary>What a user can mend is one line and exit code 1; anything else keeps its stack.</summary>
    internal static async Task<int> RunAsync(Func<Task> action)
    {
        try
        {
            await action().ConfigureAwait(false);
            return 0;
        }
        catch (Exception e) when (e is ModelFileException or InvalidDataException or IOException or UnauthorizedAccessException or ArgumentException or LedgerFaultException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }
}
