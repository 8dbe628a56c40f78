using System.CommandLine;
using Promotions.Scoring;
using Promotions.Scoring.LightGbm;

namespace Promotions.Training;

/// <summary><c>promotions-ml reference</c>: for models that were trained before files had one, and for imported ones.</summary>
internal static class ReferenceCommand
{
    public static Command Create()
    {
        var model = CommandLine.ModelArgument();
        var dataset = CommandLine.DataSetOption();
        var output = new Option<FileInfo>("--out") { Description = "Model file to write.", Required = true };
        var command = new Command("reference", "Measures how features and score are spread over a data set and writes it into a model file, so that a server can tell drift. Scores stay the same; the file's hash does not.")
        {
            model, dataset, output,
        };
        command.SetAction(parsed => CommandLine.Run(() =>
        {
            var file = With(File.ReadAllBytes(parsed.GetRequiredValue(model).FullName), CommandLine.ReadDataSet(parsed.GetRequiredValue(dataset)));
            var target = parsed.GetRequiredValue(output);
            File.WriteAllBytes(target.FullName, file);
            Console.WriteLine($"{target.Name}: {ModelFile.HashOf(file)}");
        }));
        return command;
    }

    /// <exception cref="ModelFileException">It is no model, or of another layout than the rows.</exception>
    /// <exception cref="InvalidDataException">There are no rows.</exception>
    internal static byte[] With(ReadOnlySpan<byte> file, DataSet data)
    {
        data.Validate();
        var reference = Trainer.ReferenceOf(ScorerFile.Load(file, data.LayoutHash), data.Features, data.Rows);
        return ImportedModelFile.IsOne(file)
            ? ImportedModelFile.Write(ImportedModelFile.Read(file) with { Reference = reference })
            : ModelFile.Write(ModelFile.Read(file) with { Reference = reference });
    }
}
