using System.CommandLine;
using System.Text.Json;
using Promotions.Features;
using Promotions.Scoring;

namespace Promotions.Training;

/// <summary><c>promotions-ml train</c>.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var dataset = CommandLine.DataSetOption();
        var output = new Option<FileInfo>("--out") { Description = "Model file to write.", Required = true };
        var learner = new LearnerOptions();
        var command = new Command("train", "Learns from the earliest rows, calibrates on later ones, measures on the latest.") { dataset, output };
        learner.AddTo(command);
        command.SetAction(parsed => CommandLine.Run(() =>
        {
            var source = parsed.GetRequiredValue(dataset);
            var target = parsed.GetRequiredValue(output);
            var options = learner.Of(parsed);
            options = options with { Command = $"promotions-ml train --dataset {source.Name} --out {target.Name} {LearnerOptions.Said(options)}" };
            var data = CommandLine.ReadDataSet(source);
            if (data.LayoutHash == FeatureRegistry.LayoutHash) options = options with { Parts = CommandLine.PartsOfLayout() };
            var trained = Trainer.Train(data, options);
            File.WriteAllBytes(target.FullName, trained.File);
            Console.WriteLine(JsonSerializer.Serialize(trained.Card, CommandLine.Json));
            Console.WriteLine($"{target.Name}: {ModelFile.HashOf(trained.File)}");
        }));
        return command;
    }
}
