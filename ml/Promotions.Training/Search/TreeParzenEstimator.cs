namespace Promotions.Training.Search;

/// <summary>Proposes what to try next from what was tried (tree-structured Parzen estimator: Bergstra et al., <i>Algorithms for Hyper-Parameter Optimization</i>, 2011).</summary>
/// <remarks>Family first, then its settings, each by its own densities l over the best quarter and g over the rest; of a few draws from l the one with the greatest l/g is proposed.
/// One in <see cref="RandomOneIn"/> is drawn at random, as in BOHB (Falkner et al. 2018), so that no region is given up.</remarks>
internal sealed class TreeParzenEstimator(Random random)
{
    private const double BestShare = 0.25;
    private const int Draws = 24;
    private const int RandomOneIn = 3;
    private const int FamilyTriedMin = 3;

    /// <param name="tried">Candidates and their losses, all measured alike.</param>
    public Candidate Propose(IReadOnlyList<(Candidate Candidate, double Loss)> tried)
    {
        if (random.Next(RandomOneIn) == 0) return Random(SearchSpace.Families[random.Next(SearchSpace.Families.Count)]);
        var family = ProposeFamily(tried);
        var own = tried.Where(one => one.Candidate.Family == family).OrderBy(one => one.Loss).ToList();
        if (own.Count < FamilyTriedMin) return Random(family);
        var settings = SearchSpace.Of(family);
        var best = Math.Max(1, (int)Math.Ceiling(own.Count * BestShare));
        Parzen Density(IEnumerable<(Candidate Candidate, double Loss)> of, int s) => new([.. of.Select(one => settings[s].UnitOf(one.Candidate.Values[s]))], settings[s]);
        Parzen[] good = [.. settings.Select((_, s) => Density(own.Take(best), s))];
        Parzen[] other = [.. settings.Select((_, s) => Density(own.Skip(best), s))];

        var chosen = new double[settings.Count];
        var greatest = double.NegativeInfinity;
        for (var draw = 0; draw < Draws; draw++)
        {
            double[] units = [.. good.Select(density => density.Draw(random))];
            double gain = 0;
            for (var s = 0; s < units.Length; s++) gain += Math.Log(good[s].At(units[s])) - Math.Log(other[s].At(units[s]));
            if (gain <= greatest) continue;
            (greatest, chosen) = (gain, units);
        }
        return new(family, [.. settings.Select((setting, s) => setting.At(chosen[s]))]);
    }

    private Candidate Random(Family family) => new(family, [.. SearchSpace.Of(family).Select(setting => setting.At(random.NextDouble()))]);

    /// <summary>The root of the tree: a choice like any other, with one draw of each family added to both sides.</summary>
    private Family ProposeFamily(IReadOnlyList<(Candidate Candidate, double Loss)> tried)
    {
        var ordered = tried.OrderBy(one => one.Loss).ToList();
        var best = (int)Math.Ceiling(ordered.Count * BestShare);
        double[] good = [.. SearchSpace.Families.Select(family => 1.0 + ordered.Take(best).Count(one => one.Candidate.Family == family))];
        double[] other = [.. SearchSpace.Families.Select(family => 1.0 + ordered.Skip(best).Count(one => one.Candidate.Family == family))];
        var chosen = -1;
        for (var draw = 0; draw < 2; draw++)
        {
            var drawn = Weighted(good);
            if (chosen < 0 || good[drawn] / other[drawn] > good[chosen] / other[chosen]) chosen = drawn;
        }
        return SearchSpace.Families[chosen];
    }

    private int Weighted(double[] weights)
    {
        var at = random.NextDouble() * weights.Sum();
        for (var i = 0; i < weights.Length - 1; i++)
            if ((at -= weights[i]) < 0) return i;
        return weights.Length - 1;
    }

    /// <summary>A density on 0 to 1: a bell around each point, as wide as its neighbours are far, and the uniform one as one point more.</summary>
    private sealed class Parzen
    {
        private const double WidthMin = 0.05;
        private readonly double[] _points;
        private readonly double[] _widths;
        private readonly double[] _masses;
        private readonly int _choices;

        public Parzen(double[] points, Setting setting)
        {
            Array.Sort(points);
            _points = points;
            _choices = setting.Scale is SettingScale.Choice ? (int)setting.Max + 1 : 0;
            _widths = [.. points.Select((point, i) => Math.Clamp(Math.Max(point - (i > 0 ? points[i - 1] : 0), (i < points.Length - 1 ? points[i + 1] : 1) - point), WidthMin, 1))];
            _masses = [.. points.Select((point, i) => Normal((1 - point) / _widths[i]) - Normal(-point / _widths[i]))];
        }

        public double Draw(Random random)
        {
            var of = random.Next(_points.Length + 1);
            if (of == _points.Length) return random.NextDouble();
            if (_choices > 0) return _points[of];
            while (true)
            {
                var bell = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
                var drawn = _points[of] + (_widths[of] * bell);
                if (drawn is >= 0 and <= 1) return drawn;
            }
        }

        public double At(double unit)
        {
            double sum = 1;
            for (var i = 0; i < _points.Length; i++)
            {
                if (_choices > 0) sum += (int)(_points[i] * _choices) == Math.Min((int)(unit * _choices), _choices - 1) ? _choices : 0;
                else sum += Math.Exp(-0.5 * Math.Pow((unit - _points[i]) / _widths[i], 2)) / (_widths[i] * Math.Sqrt(2 * Math.PI) * _masses[i]);
            }
            return sum / (_points.Length + 1);
        }

        /// <summary>The normal distribution to 7 digits (Abramowitz and Stegun 26.2.17).</summary>
        private static double Normal(double z)
        {
            var t = 1 / (1 + (0.2316419 * Math.Abs(z)));
            var tail = Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI) * t * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
            return z >= 0 ? 1 - tail : tail;
        }
    }
}
