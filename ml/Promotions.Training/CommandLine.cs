using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Promotions.Scoring;

namespace Promotions.Training;

/// <summary><c>promotions-ml</c>.</summary>
internal static class CommandLine
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static RootCommand Create() => new("Makes, measures and shows fraud models.") { Train(), Evaluate(), Card() };

    private static Command Train()
    {
        var defaults = new TrainingOptions();
        var dataset = DataSetOption();
        var output = new Option<FileInfo>("--out") { Description = "Model file to write.", Required = true };
        var trees = new Option<int>("--trees") { DefaultValueFactory = _ => defaults.Trees, Description = "Trees." };
        var leaves = new Option<int>("--leaves") { DefaultValueFactory = _ => defaults.Leaves, Description = "Leaves per tree, at most." };
        var rate = new Option<double>("--learning-rate") { DefaultValueFactory = _ => defaults.LearningRate, Description = "Share of each tree's step that is kept." };
        var seed = new Option<int>("--seed") { DefaultValueFactory = _ => defaults.Seed, Description = "Of the learner." };
        var command = new Command("train", "Learns from the earliest rows, calibrates on later ones, measures on the latest.") { dataset, output, trees, leaves, rate, seed };
        command.SetAction(parsed => Run(() =>
        {
            var source = parsed.GetRequiredValue(dataset);
            var target = parsed.GetRequiredValue(output);
            var options = defaults with { Trees = parsed.GetValue(trees), Leaves = parsed.GetValue(leaves), LearningRate = parsed.GetValue(rate), Seed = parsed.GetValue(seed) };
            options = options with { Command = string.Create(CultureInfo.InvariantCulture, $"promotions-ml train --dataset {source.Name} --out {target.Name} --trees {options.Trees} --leaves {options.Leaves} --learning-rate {options.LearningRate} --seed {options.Seed}") };
            var trained = Trainer.Train(ReadDataSet(source), options);
            File.WriteAllBytes(target.FullName, trained.File);
            Console.WriteLine(JsonSerializer.Serialize(trained.Card, Json));
            Console.WriteLine($"{target.Name}: {ModelFile.HashOf(trained.File)}");
        }));
        return command;
    }

    private static Command Evaluate()
    {
        var model = ModelArgument();
        var dataset = DataSetOption();
        var command = new Command("evaluate", "Measures a model on all rows of a data set.") { model, dataset };
        command.SetAction(parsed => Run(() =>
        {
            var data = ReadDataSet(parsed.GetRequiredValue(dataset));
            var scorer = TreeScorer.Load(File.ReadAllBytes(parsed.GetRequiredValue(model).FullName), data.LayoutHash);
            Console.WriteLine(JsonSerializer.Serialize(Evaluation.Measure(scorer, data.Rows), Json));
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

    private static Option<FileInfo> DataSetOption() => new("--dataset") { Description = "Data set file.", Required = true };

    private static Argument<FileInfo> ModelArgument() => new("model") { Description = "Model file." };

    private static DataSet ReadDataSet(FileInfo file)
    {
        using var stream = file.OpenRead();
        return DataSetFile.Read(stream);
    }

    /// <summary>What a user can mend is one line and exit code 1; anything else keeps its stack.</summary>
    private static int Run(Action action)
    {
        try
        {
            action();
            return 0;
        }
        catch (Exception e) when (e is ModelFileException or InvalidDataException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }
}
