using Promotions.Scoring;

namespace Promotions.Training;

/// <summary>Logistic calibration (Platt 1999; the numerically safe form of Lin, Lin and Weng 2007): weighted maximum likelihood by Newton's method with step halving.</summary>
public static class PlattFit
{
    private const int StepsMax = 100;

    /// <summary>Fits slope and intercept on rows that the trees did not learn from.</summary>
    /// <remarks>Targets are pulled in by one row per class, so that separable rows give finite answers. With one class only, or a falling relation, the
    /// scores say nothing about it: the slope stays 1 and only the intercept moves.</remarks>
    public static Calibration Fit(ReadOnlySpan<double> raw, ReadOnlySpan<bool> abuse, ReadOnlySpan<float> weight)
    {
        double positive = 0, negative = 0;
        for (var i = 0; i < raw.Length; i++) (abuse[i] ? ref positive : ref negative) += weight[i];
        if (positive + negative == 0) return Calibration.None;
        var high = (positive + 1) / (positive + 2);
        var low = 1 / (negative + 2);

        var oneClass = positive == 0 || negative == 0;
        var (slope, intercept) = Newton(raw, abuse, weight, high, low, slopeFixed: oneClass);
        if (slope <= 0) (slope, intercept) = Newton(raw, abuse, weight, high, low, slopeFixed: true);
        return Calibration.Platt(slope, intercept);
    }

    private static (double Slope, double Intercept) Newton(ReadOnlySpan<double> raw, ReadOnlySpan<bool> abuse, ReadOnlySpan<float> weight, double high, double low, bool slopeFixed)
    {
        double slope = 1, intercept = 0;
        var loss = Loss(raw, abuse, weight, high, low, slope, intercept);
        for (var step = 0; step < StepsMax; step++)
        {
            double gradientS = 0, gradientI = 0, hessianSS = 1e-12, hessianSI = 0, hessianII = 1e-12;
            for (var i = 0; i < raw.Length; i++)
            {
                var p = 1 / (1 + Math.Exp(-((slope * raw[i]) + intercept)));
                var miss = weight[i] * (p - (abuse[i] ? high : low));
                var curve = weight[i] * p * (1 - p);
                gradientS += miss * raw[i];
                gradientI += miss;
                hessianSS += curve * raw[i] * raw[i];
                hessianSI += curve * raw[i];
                hessianII += curve;
            }
            var determinant = (hessianSS * hessianII) - (hessianSI * hessianSI);
            var moveS = slopeFixed ? 0 : ((hessianII * gradientS) - (hessianSI * gradientI)) / determinant;
            var moveI = slopeFixed ? gradientI / hessianII : ((hessianSS * gradientI) - (hessianSI * gradientS)) / determinant;

            var scale = 1.0;
            double after;
            while ((after = Loss(raw, abuse, weight, high, low, slope - (scale * moveS), intercept - (scale * moveI))) > loss && scale > 1e-10) scale /= 2;
            if (!(after < loss)) break;
            (slope, intercept) = (slope - (scale * moveS), intercept - (scale * moveI));
            var gained = loss - after;
            loss = after;
            if (gained < 1e-12 * Math.Abs(loss)) break;
        }
        return (slope, intercept);
    }

    private static double Loss(ReadOnlySpan<double> raw, ReadOnlySpan<bool> abuse, ReadOnlySpan<float> weight, double high, double low, double slope, double intercept)
    {
        double sum = 0;
        for (var i = 0; i < raw.Length; i++)
        {
            // -log p = log(1 + exp(-z)), written so that no exponent overflows.
            var z = (slope * raw[i]) + intercept;
            var softplus = Math.Log(1 + Math.Exp(-Math.Abs(z)));
            var target = abuse[i] ? high : low;
            sum += weight[i] * (softplus + (z >= 0 ? (1 - target) * z : -target * z));
        }
        return sum;
    }
}
