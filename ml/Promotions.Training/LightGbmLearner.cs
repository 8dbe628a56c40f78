using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;
using Microsoft.ML.Trainers.LightGbm;
using Promotions.Scoring;

namespace Promotions.Training;

/// <summary>Learns with ML.NET's LightGBM and takes the trees out of its model.</summary>
public static class LightGbmLearner
{
    /// <summary>ML.NET's view of a row.</summary>
    public sealed class Example
    {
        public float[] Features { get; set; } = [];
        public bool Label { get; set; }
        public float Weight { get; set; } = 1;
    }

    /// <summary>What ML.NET answers; <see cref="Score"/> is the raw score in float32.</summary>
    public sealed class Answer
    {
        public float Score { get; set; }
    }

    /// <summary>A model in ML.NET's form, as a user would serve it: what ours is measured and checked against.</summary>
    /// <param name="Scale">Powers of two that its features were multiplied by; see <see cref="ScaleOf"/>.</param>
    public sealed record Fitted(MLContext Context, ITransformer Transformer, DecisionTree[] Trees, float[] Scale)
    {
        public PredictionEngine<Example, Answer> CreateEngine() => Context.Model.CreatePredictionEngine<Example, Answer>(Transformer, inputSchemaDefinition: SchemaOf(Scale.Length));

        /// <summary>A vector as the engine must be given it.</summary>
        public float[] Scaled(float[] vector) => [.. vector.Select((value, f) => value * Scale[f])];
    }

    public static Fitted Fit(IReadOnlyList<TrainingRow> rows, int featureCount, TrainingOptions options)
    {
        var context = new MLContext(options.Seed);
        var scale = ScaleOf(rows, featureCount);
        var data = context.Data.LoadFromEnumerable(rows.Select(row => new Example { Features = [.. row.Vector.Select((value, f) => value * scale[f])], Label = row.Abuse, Weight = row.Weight }), SchemaOf(featureCount));
        var trainer = context.BinaryClassification.Trainers.LightGbm(new LightGbmBinaryTrainer.Options
        {
            FeatureColumnName = nameof(Example.Features),
            LabelColumnName = nameof(Example.Label),
            ExampleWeightColumnName = nameof(Example.Weight),
            NumberOfIterations = options.Trees,
            NumberOfLeaves = options.Leaves,
            LearningRate = options.LearningRate,
            MinimumExampleCountPerLeaf = options.RowsPerLeafMin,
            Sigmoid = 1,                  // the raw score is then log-odds
            HandleMissingValue = true,
            UseZeroAsMissingValue = false,
            UseCategoricalSplit = false,
            Booster = new GradientBooster.Options
            {
                L2Regularization = options.L2,
                SubsampleFraction = options.RowShare,
                SubsampleFrequency = options.RowShare < 1 ? 1 : 0,
                FeatureFraction = options.FeatureShare,
            },
            Seed = options.Seed,
            NumberOfThreads = 1,          // the same bytes on every machine
            Deterministic = true,
            ForceColumnWise = true,       // else LightGBM chooses by timing
        });
        var transformer = trainer.Fit(data);
        var parameters = ((CalibratedModelParametersBase<LightGbmBinaryModelParameters, PlattCalibrator>)transformer.Model).SubModel;
        var trees = parameters.TrainedTreeEnsemble.Trees.Select(tree => TreeExtraction.Extract(tree, scale)).ToArray();
        for (var t = 0; t < trees.Length; t++) trees[t] = trees[t] with { LeafCover = TreeExtraction.CoversOf(trees[t], rows) };
        var fitted = new Fitted(context, transformer, trees, scale);
        Verify(fitted, rows);
        return fitted;
    }

    private static SchemaDefinition SchemaOf(int featureCount)
    {
        var schema = SchemaDefinition.Create(typeof(Example));
        schema[nameof(Example.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, featureCount);
        return schema;
    }

    /// <summary>Powers of two, so that no bit is lost, that bring every feature below 2^22.</summary>
    /// <remarks>ML.NET keeps "missing goes right" as the stand-in value threshold + 1 in float32; from 2^24 on that is the threshold itself, and missing would go left.</remarks>
    private static float[] ScaleOf(IReadOnlyList<TrainingRow> rows, int featureCount)
    {
        var scale = new float[featureCount];
        for (var f = 0; f < featureCount; f++)
        {
            float largest = 0;
            foreach (var row in rows) largest = Math.Max(largest, float.IsNaN(row.Vector[f]) ? 0 : Math.Abs(row.Vector[f]));
            scale[f] = largest < 1 << 22 ? 1 : MathF.ScaleB(1, 21 - MathF.ILogB(largest));
        }
        return scale;
    }

    /// <exception cref="InvalidOperationException">The extracted trees do not answer as ML.NET does.</exception>
    private static void Verify(Fitted fitted, IReadOnlyList<TrainingRow> rows)
    {
        const int RowsChecked = 1000;
        using var engine = fitted.CreateEngine();
        var step = Math.Max(1, rows.Count / RowsChecked);
        for (var i = 0; i < rows.Count; i += step)
        {
            Check(rows[i].Vector);
            var holed = (float[])rows[i].Vector.Clone();
            holed[i / step % fitted.Scale.Length] = float.NaN;
            Check(holed);
        }

        void Check(float[] vector)
        {
            double raw = 0;
            foreach (var tree in fitted.Trees) raw += tree.LeafValue[tree.LeafOf(vector)];
            var theirs = engine.Predict(new() { Features = fitted.Scaled(vector) }).Score;
            if ((float)raw != theirs) throw new InvalidOperationException($"The extracted trees answer {raw} where ML.NET answers {theirs}.");
        }
    }
}
