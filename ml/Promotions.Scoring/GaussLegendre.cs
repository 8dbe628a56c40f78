namespace Promotions.Scoring;

/// <summary>Gauss-Legendre quadrature on [0, 1]: n points integrate a polynomial of degree 2n - 1 exactly.</summary>
internal static class GaussLegendre
{
    /// <summary>Roots of the Legendre polynomial by Newton's method from Chebyshev's guess (Abramowitz and Stegun, 25.4.29 and 22.16.6), moved from [-1, 1] to [0, 1].</summary>
    public static (double[] Points, double[] Weights) On01(int n)
    {
        var points = new double[n];
        var weights = new double[n];
        for (var i = 0; i < n; i++)
        {
            var x = Math.Cos(Math.PI * (i + 0.75) / (n + 0.5));
            double slope;
            var steps = 0;
            while (true)
            {
                double before = 1, value = x;
                for (var k = 2; k <= n; k++) (before, value) = (value, ((((2 * k) - 1) * x * value) - ((k - 1) * before)) / k);
                slope = n * ((x * value) - before) / ((x * x) - 1);
                var step = value / slope;
                x -= step;
                // Newton doubles the digits: once a step is below 1e-15 (or 50 steps were made), the last bits only wander.
                if (Math.Abs(step) < 1e-15 || ++steps == 50) break;
            }
            points[i] = (1 - x) / 2;
            weights[i] = 1 / ((1 - (x * x)) * slope * slope);
        }
        return (points, weights);
    }
}
