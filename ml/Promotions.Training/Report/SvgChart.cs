using System.Globalization;
using System.Net;
using System.Text;

namespace Promotions.Training.Report;

/// <summary>A chart as inline SVG: two axes, lines, points with intervals. No script, no assets.</summary>
/// <param name="xMax">Least x is 0.</param>
/// <param name="yMax">Least y is 0.</param>
internal sealed class SvgChart(string title, string xName, string yName, double xMax, double yMax, Func<double, string> xText, Func<double, string> yText)
{
    private const int Width = 460, Height = 320, Left = 62, Right = 24, Top = 12, Bottom = 46, Ticks = 4;
    private readonly StringBuilder _marks = new();

    public SvgChart Line(IEnumerable<(double X, double Y)> points, string style)
    {
        _marks.Append(Text($"<polyline class=\"{style}\" points=\"{string.Join(' ', points.Select(p => Text($"{X(p.X):0.#},{Y(p.Y):0.#}")))}\"/>"));
        return this;
    }

    public SvgChart Point(double x, double y, double low, double high, string tip)
    {
        _marks.Append(Text($"<g><title>{WebUtility.HtmlEncode(tip)}</title><line class=\"interval\" x1=\"{X(x):0.#}\" x2=\"{X(x):0.#}\" y1=\"{Y(low):0.#}\" y2=\"{Y(high):0.#}\"/><circle class=\"point\" cx=\"{X(x):0.#}\" cy=\"{Y(y):0.#}\" r=\"4\"/></g>"));
        return this;
    }

    public string Draw()
    {
        var svg = new StringBuilder(Text($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\">"));
        for (var i = 0; i <= Ticks; i++)
        {
            var (x, y) = (xMax * i / Ticks, yMax * i / Ticks);
            svg.Append(Text($"<line class=\"grid\" x1=\"{X(x):0.#}\" x2=\"{X(x):0.#}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/><text class=\"tick\" x=\"{X(x):0.#}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{WebUtility.HtmlEncode(xText(x))}</text>"));
            svg.Append(Text($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(y):0.#}\" y2=\"{Y(y):0.#}\"/><text class=\"tick\" x=\"{Left - 6}\" y=\"{Y(y) + 4:0.#}\" text-anchor=\"end\">{WebUtility.HtmlEncode(yText(y))}</text>"));
        }
        svg.Append(Text($"<text class=\"axis\" x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 8}\" text-anchor=\"middle\">{WebUtility.HtmlEncode(xName)}</text>"));
        svg.Append(Text($"<text class=\"axis\" transform=\"translate(13 {(Top + Height - Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">{WebUtility.HtmlEncode(yName)}</text>"));
        return svg.Append(_marks).Append("</svg>").ToString();
    }

    private double X(double x) => Left + (Math.Clamp(x / xMax, 0, 1) * (Width - Left - Right));
    private double Y(double y) => Height - Bottom - (Math.Clamp(y / yMax, 0, 1) * (Height - Top - Bottom));
    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
