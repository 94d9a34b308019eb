using System.Globalization;
using System.Text;

namespace Archiver.Bench;

/// <summary>Memory over time as SVG.</summary>
internal static class LineChart
{
    private const int Left = 60,
        Top = 40,
        Width = 640,
        Height = 260;

    private static readonly string[] Colours = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#aa3377"];

    public static string Draw(string title, IReadOnlyList<ResultCurve> curves)
    {
        var seconds = curves.Max(c => c.Points.Max(p => p.Seconds));
        var most = Math.Max(250, curves.Max(c => c.Points.Max(p => p.ResidentMegabytes)) * 1.1);
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Left + Width + 30}\" "
                + $"height=\"{Top + Height + 60 + (curves.Count * 18)}\" font-family=\"sans-serif\" font-size=\"13\">\n"
        );
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"10\" y=\"24\" font-size=\"16\" font-weight=\"bold\">{title}</text>\n");
        for (var line = 0.0; line <= most; line += 50)
        {
            var y = Top + Height - (Height * line / most);
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<line x1=\"{Left}\" x2=\"{Left + Width}\" y1=\"{y:0.#}\" y2=\"{y:0.#}\" "
                    + $"stroke=\"#ddd\"/><text x=\"{Left - 6}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{line:0}</text>\n"
            );
        }
        for (var part = 0; part <= 4; part++)
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{Left + (Width * part / 4)}\" y=\"{Top + Height + 18}\" "
                    + $"text-anchor=\"middle\">{seconds * part / 4:0.#} s</text>\n"
            );
        for (var i = 0; i < curves.Count; i++)
        {
            var points = string.Join(
                ' ',
                curves[i]
                    .Points.Select(p =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{Left + (Width * p.Seconds / seconds):0.#},{Top + Height - (Height * p.ResidentMegabytes / most):0.#}"
                        )
                    )
            );
            var y = Top + Height + 44 + (i * 18);
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<polyline fill=\"none\" stroke=\"{Colours[i % Colours.Length]}\" stroke-width=\"1.5\" points=\"{points}\"/>\n"
            );
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<rect x=\"{Left}\" y=\"{y - 10}\" width=\"12\" height=\"12\" "
                    + $"fill=\"{Colours[i % Colours.Length]}\"/><text x=\"{Left + 18}\" y=\"{y}\">{curves[i].Name}</text>\n"
            );
        }
        return svg.Append("</svg>\n").ToString();
    }
}
