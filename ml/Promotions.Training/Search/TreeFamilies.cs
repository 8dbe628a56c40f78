using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;
using Promotions.Scoring;

namespace Promotions.Training.Search;

/// <summary>Trees of LightGBM, FastTree and FastForest, in this project's form: each can be served and explained.</summary>
internal static class TreeFamilies
{
    /// <param name="rows">Weighted; see <see cref="Weighted"/>.</param>
    public static DecisionTree[] Fit(Family family, Candidate candidate, IReadOnlyList<TrainingRow> rows, int featureCount, int seed)
    {
        var encoding = (MissingEncoding)(int)candidate[SearchSpace.Encoding];
        if (family is Family.LightGbm && encoding is MissingEncoding.Native) return LightGbmLearner.Fit(rows, featureCount, OptionsOf(candidate, seed)).Trees;

        var standIns = StandIns(rows, featureCount, encoding);
        TrainingRow[] encoded = [.. rows.Select(row => row with { Vector = Encode(row.Vector, standIns) })];
        var trees = family is Family.LightGbm ? LightGbmLearner.Fit(encoded, featureCount, OptionsOf(candidate, seed)).Trees : FitFast(family, candidate, encoded, featureCount, seed);
        // A missing value goes where its stand-in went: the tree needs no stand-in any more.
        return [.. trees.Select(tree => tree with { MissingLeft = [.. tree.Feature.Select((feature, node) => standIns[feature] <= tree.Threshold[node])] })];
    }

    /// <summary>Abusive rows weigh more.</summary>
    public static TrainingRow[] Weighted(IReadOnlyList<TrainingRow> rows, double abuseWeight) => [.. rows.Select(row => row.Abuse ? row with { Weight = (float)(row.Weight * abuseWeight) } : row)];

    public static double Raw(DecisionTree[] trees, float[] vector)
    {
        double raw = 0;
        foreach (var tree in trees) raw += tree.LeafValue[tree.LeafOf(vector)];
        return raw;
    }

    /// <summary>Raw scores times a slope plus an intercept, as trees again.</summary>
    public static DecisionTree[] Rescaled(DecisionTree[] trees, double slope, double intercept) =>
        [.. trees.Select(tree => tree with { LeafValue = [.. tree.LeafValue.Select(value => value * slope)] }), Constant(intercept, trees[0].LeafCover.Sum())];

    /// <summary>The first trees, as many as lose least on later rows.</summary>
    public static DecisionTree[] StoppedEarly(DecisionTree[] trees, IReadOnlyList<TrainingRow> later)
    {
        var raw = new double[later.Count];
        var losses = new double[trees.Length];
        for (var t = 0; t < trees.Length; t++)
            for (var i = 0; i < raw.Length; i++)
            {
                raw[i] += trees[t].LeafValue[trees[t].LeafOf(later[i].Vector)];
                var z = later[i].Abuse ? -raw[i] : raw[i];
                losses[t] += later[i].Weight * (Math.Max(z, 0) + Math.Log(1 + Math.Exp(-Math.Abs(z))));
            }
        return trees[..(Array.IndexOf(losses, losses.Min()) + 1)];
    }

    private static TrainingOptions OptionsOf(Candidate candidate, int seed) => new()
    {
        Trees = (int)candidate[SearchSpace.Trees],
        Leaves = (int)candidate[SearchSpace.Leaves],
        LearningRate = candidate[SearchSpace.Rate],
        RowsPerLeafMin = (int)candidate[SearchSpace.LeafRows],
        FeatureShare = candidate[SearchSpace.FeatureShare],
        RowShare = candidate.Family is Family.LightGbm ? candidate[SearchSpace.RowShare] : 1,
        L2 = candidate.Family is Family.LightGbm ? candidate[SearchSpace.L2] : 1,
        Seed = seed,
    };

    private static DecisionTree[] FitFast(Family family, Candidate candidate, TrainingRow[] rows, int featureCount, int seed)
    {
        var context = new MLContext(seed);
        var schema = SchemaDefinition.Create(typeof(LightGbmLearner.Example));
        schema[nameof(LightGbmLearner.Example.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, featureCount);
        var data = context.Data.LoadFromEnumerable(rows.Select(row => new LightGbmLearner.Example { Features = row.Vector, Label = row.Abuse, Weight = row.Weight }), schema);
        IReadOnlyList<RegressionTreeBase> theirTrees;
        (IReadOnlyList<double> Weights, double Bias) ensemble;
        Func<float[], float> theirs;
        if (family is Family.FastForest)
        {
            var fitted = context.BinaryClassification.Trainers.FastForest(Common(new FastForestBinaryTrainer.Options(), candidate, seed)).Fit(data);
            var forest = fitted.Model.TrainedTreeEnsemble;
            (theirTrees, ensemble) = (forest.Trees, (forest.TreeWeights, forest.Bias));
            theirs = Engine(fitted);
        }
        else
        {
            var options = Common(new FastTreeBinaryTrainer.Options(), candidate, seed);
            options.LearningRate = candidate[SearchSpace.Rate];
            var fitted = context.BinaryClassification.Trainers.FastTree(options).Fit(data);
            var boosted = ((CalibratedModelParametersBase<FastTreeBinaryModelParameters, PlattCalibrator>)fitted.Model).SubModel.TrainedTreeEnsemble;
            (theirTrees, ensemble) = (boosted.Trees, (boosted.TreeWeights, boosted.Bias));
            theirs = Engine(fitted);
        }

        var ones = new float[featureCount];
        Array.Fill(ones, 1);
        var trees = theirTrees.Select((tree, t) =>
        {
            var own = TreeExtraction.Extract(tree, ones);
            return own with { LeafValue = [.. own.LeafValue.Select(value => value * ensemble.Weights[t])], LeafCover = TreeExtraction.CoversOf(own, rows) };
        }).ToList();
        if (ensemble.Bias != 0) trees.Insert(0, Constant(ensemble.Bias, rows.Length));
        DecisionTree[] extracted = [.. trees];
        for (var i = 0; i < rows.Length; i += Math.Max(1, rows.Length / 200))
        {
            var (ours, ml) = (Raw(extracted, rows[i].Vector), theirs(rows[i].Vector));
            if (Math.Abs(ours - ml) > 1e-4 * Math.Max(1, Math.Abs(ml))) throw new InvalidOperationException($"The extracted trees of {family} answer {ours} where ML.NET answers {ml}.");
        }
        return extracted;

        Func<float[], float> Engine(ITransformer fitted)
        {
            var engine = context.Model.CreatePredictionEngine<LightGbmLearner.Example, LightGbmLearner.Answer>(fitted, inputSchemaDefinition: schema);
            return vector => engine.Predict(new() { Features = vector }).Score;
        }
    }

    private static T Common<T>(T options, Candidate candidate, int seed) where T : TreeOptions
    {
        options.FeatureColumnName = nameof(LightGbmLearner.Example.Features);
        options.LabelColumnName = nameof(LightGbmLearner.Example.Label);
        options.ExampleWeightColumnName = nameof(LightGbmLearner.Example.Weight);
        options.NumberOfTrees = (int)candidate[SearchSpace.Trees];
        options.NumberOfLeaves = (int)candidate[SearchSpace.Leaves];
        options.MinimumExampleCountPerLeaf = (int)candidate[SearchSpace.LeafRows];
        options.FeatureFraction = candidate[SearchSpace.FeatureShare];
        options.NumberOfThreads = 1;
        options.Seed = seed;
        options.FeatureSelectionSeed = seed;
        return options;
    }

    private static DecisionTree Constant(double value, double cover) => new([], [], [], [], [], [value], [cover]);

    /// <summary>Per feature a value below or above all that were seen.</summary>
    private static float[] StandIns(IReadOnlyList<TrainingRow> rows, int featureCount, MissingEncoding encoding)
    {
        var standIns = new float[featureCount];
        for (var f = 0; f < featureCount; f++)
        {
            float least = 0, greatest = 0;
            foreach (var row in rows)
                if (!float.IsNaN(row.Vector[f])) (least, greatest) = (Math.Min(least, row.Vector[f]), Math.Max(greatest, row.Vector[f]));
            standIns[f] = encoding is MissingEncoding.Highest ? (2 * greatest) + 1 : (2 * least) - 1;
        }
        return standIns;
    }

    private static float[] Encode(float[] vector, float[] standIns)
    {
        var encoded = new float[vector.Length];
        for (var f = 0; f < encoded.Length; f++) encoded[f] = float.IsNaN(vector[f]) ? standIns[f] : vector[f];
        return encoded;
    }
}
