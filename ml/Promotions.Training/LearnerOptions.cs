using System.CommandLine;
using System.Globalization;
using Promotions.Scoring;

namespace Promotions.Training;

/// <summary>What <c>train</c> and <c>retrain</c> let a user say about learning, and how a model's card repeats it.</summary>
internal sealed class LearnerOptions
{
    private static readonly TrainingOptions Defaults = new() { LateRate = CommandLine.LateRateDefault };

    private readonly Option<int?> _trees = new("--trees") { Description = "Trees." };
    private readonly Option<int?> _leaves = new("--leaves") { Description = "Leaves per tree, at most." };
    private readonly Option<double?> _rate = new("--learning-rate") { Description = "Share of each tree's step that is kept." };
    private readonly Option<int?> _seed = new("--seed") { Description = "Of the learner." };
    private readonly Option<double?> _late = new("--late-rate") { Description = "Share of an entity's parts that are taught as late." };
    private readonly Option<string[]?> _accept = new("--accept") { AllowMultipleArgumentsPerToken = true, Description = "Features that look as if they knew the label, and are right." };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_trees, _leaves, _rate, _seed, _late, _accept]) command.Add(option);
    }

    /// <param name="otherwise">Where the user says nothing; null for this program's defaults.</param>
    public TrainingOptions Of(ParseResult parsed, TrainingOptions? otherwise = null)
    {
        otherwise ??= Defaults;
        return otherwise with
        {
            Trees = parsed.GetValue(_trees) ?? otherwise.Trees,
            Leaves = parsed.GetValue(_leaves) ?? otherwise.Leaves,
            LearningRate = parsed.GetValue(_rate) ?? otherwise.LearningRate,
            Seed = parsed.GetValue(_seed) ?? otherwise.Seed,
            LateRate = parsed.GetValue(_late) ?? otherwise.LateRate,
            Accepted = parsed.GetValue(_accept) is { Length: > 0 } accepted ? accepted : otherwise.Accepted,
        };
    }

    /// <summary>As a user would say it again.</summary>
    public static string Said(TrainingOptions options) => string.Create(CultureInfo.InvariantCulture,
        $"--trees {options.Trees} --leaves {options.Leaves} --learning-rate {options.LearningRate} --seed {options.Seed} --late-rate {options.LateRate}{(options.Accepted.Count > 0 ? " --accept " + string.Join(' ', options.Accepted) : "")}");

    /// <summary>The settings that a model was learned with, as its card has them.</summary>
    /// <returns>Null where it has no card, or was made otherwise than by <c>train</c> or <c>retrain</c>.</returns>
    public static TrainingOptions? OfCard(TrainingCard? card)
    {
        if (card?.Command is not { } command || !(command.StartsWith("promotions-ml train ", StringComparison.Ordinal) || command.StartsWith("promotions-ml retrain ", StringComparison.Ordinal))) return null;
        var (options, own) = (new LearnerOptions(), new Command("learned") { TreatUnmatchedTokensAsErrors = false });
        options.AddTo(own);
        return options.Of(own.Parse(command.Split(' ')[2..]));
    }
}
