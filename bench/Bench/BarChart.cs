using System.Globalization;
using System.Text;

namespace Archiver.Bench;

/// <summary>A bar chart as SVG: the one kind of plot needed here, so no library.</summary>
internal static class BarChart
{
    private const int Left = 280,
        Width = 480,
        Line = 30;

    public static string Draw(string title, IReadOnlyList<(string Name, double Value)> bars)
    {
        var largest = bars.Max(b => b.Value);
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Left + Width + 90}\" "
                + $"height=\"{(bars.Count * Line) + 50}\" font-family=\"sans-serif\" font-size=\"14\">\n"
        );
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"10\" y=\"24\" font-size=\"16\" font-weight=\"bold\">{title}</text>\n");
        for (var i = 0; i < bars.Count; i++)
        {
            var (name, value) = bars[i];
            var top = 40 + (i * Line);
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{top + 16}\" text-anchor=\"end\">{name}</text>");
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<rect x=\"{Left}\" y=\"{top}\" width=\"{Math.Max(1, Width * value / largest):0.#}\" "
                    + $"height=\"{Line - 8}\" fill=\"#4477aa\"/>"
            );
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{Left + (Width * value / largest) + 6:0.#}\" y=\"{top + 16}\">{value:0}</text>\n"
            );
        }
        return svg.Append("</svg>\n").ToString();
    }
}
