using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace Promotions.Training.Search;

/// <summary>ML.NET's logistic regression (L-BFGS) on numbers made even: sign · log(1 + |x|), mean 0, deviation 1; missing is the mean and a feature of its own.</summary>
/// <param name="Weights">Values first, then missing-or-not.</param>
internal sealed record LogisticFamily(double[] Mean, double[] Deviation, float[] Weights, float Bias)
{
    public static LogisticFamily Fit(Candidate candidate, IReadOnlyList<TrainingRow> rows, int featureCount, int seed)
    {
        double[] mean = new double[featureCount], deviation = new double[featureCount];
        for (var f = 0; f < featureCount; f++)
        {
            double sum = 0, squares = 0;
            var present = 0;
            foreach (var row in rows)
            {
                if (float.IsNaN(row.Vector[f])) continue;
                var even = Even(row.Vector[f]);
                sum += even;
                squares += even * even;
                present++;
            }
            mean[f] = present > 0 ? sum / present : 0;
            deviation[f] = present > 0 && (squares / present) - (mean[f] * mean[f]) is > 1e-12 and var variance ? Math.Sqrt(variance) : 1;
        }
        var (weights, bias) = Learn(rows.Select(row => (Encode(row.Vector, mean, deviation), row.Abuse, row.Weight)), 2 * featureCount, (float)candidate[SearchSpace.L1], (float)candidate[SearchSpace.L2], seed, nonNegative: false);
        return new(mean, deviation, weights, bias);
    }

    public double Raw(float[] vector)
    {
        double raw = Bias;
        var encoded = Encode(vector, Mean, Deviation);
        for (var f = 0; f < encoded.Length; f++) raw += (double)encoded[f] * Weights[f];
        return raw;
    }

    /// <summary>Weights and bias by ML.NET; one thread, so that they are the same again.</summary>
    public static (float[] Weights, float Bias) Learn(IEnumerable<(float[] Values, bool Abuse, float Weight)> rows, int length, float l1, float l2, int seed, bool nonNegative)
    {
        var context = new MLContext(seed);
        var schema = SchemaDefinition.Create(typeof(LightGbmLearner.Example));
        schema[nameof(LightGbmLearner.Example.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, length);
        LightGbmLearner.Example[] examples = [.. rows.Select(row => new LightGbmLearner.Example { Features = row.Values, Label = row.Abuse, Weight = row.Weight })];
        var fitted = context.BinaryClassification.Trainers.LbfgsLogisticRegression(new LbfgsLogisticRegressionBinaryTrainer.Options
        {
            FeatureColumnName = nameof(LightGbmLearner.Example.Features),
            LabelColumnName = nameof(LightGbmLearner.Example.Label),
            ExampleWeightColumnName = nameof(LightGbmLearner.Example.Weight),
            L1Regularization = l1,
            L2Regularization = l2,
            EnforceNonNegativity = nonNegative,
            MaximumNumberOfIterations = 200,
            NumberOfThreads = 1,
        }).Fit(context.Data.LoadFromEnumerable(examples, schema));
        var linear = ((CalibratedModelParametersBase<LinearBinaryModelParameters, PlattCalibrator>)fitted.Model).SubModel;
        return ([.. linear.Weights], linear.Bias);
    }

    private static double Even(float value) => Math.Sign(value) * Math.Log(1 + Math.Abs((double)value));

    private static float[] Encode(float[] vector, double[] mean, double[] deviation)
    {
        var encoded = new float[2 * vector.Length];
        for (var f = 0; f < vector.Length; f++)
        {
            if (float.IsNaN(vector[f])) encoded[vector.Length + f] = 1;
            else encoded[f] = (float)((Even(vector[f]) - mean[f]) / deviation[f]);
        }
        return encoded;
    }
}
