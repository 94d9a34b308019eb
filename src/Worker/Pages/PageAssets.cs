using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.StaticFiles;

namespace Archiver.Worker.Pages;

/// <summary>
/// Style, script and the chart library (uPlot, wwwroot/uPlot.LICENSE), embedded: the page asks no other server for anything.
/// </summary>
internal static class PageAssets
{
    private const string Prefix = "wwwroot.";

    private static readonly FrozenDictionary<string, (byte[] Bytes, string Version, string Type)> Files = Read()
        .ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Its URL with a hash, so that it may be kept for long and a new version is still seen at once.</summary>
    public static string Url(string name) => $"/assets/{name}?v={Files[name].Version}";

    public static void MapAssets(this IEndpointRouteBuilder routes) => routes.MapGet("/assets/{name}", (string name, HttpContext context) =>
        {
            if (!Files.TryGetValue(name, out var file))
                return Results.NotFound();
            context.Response.Headers.CacheControl = "private, max-age=86400";
            return Results.Bytes(file.Bytes, file.Type);
        });

    private static IEnumerable<KeyValuePair<string, (byte[], string, string)>> Read()
    {
        var types = new FileExtensionContentTypeProvider();
        var assembly = typeof(PageAssets).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            yield return new(
                resource[Prefix.Length..],
                (
                    bytes,
                    Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 6)),
                    types.TryGetContentType(resource, out var type) ? type : "text/plain"
                )
            );
        }
    }
}
