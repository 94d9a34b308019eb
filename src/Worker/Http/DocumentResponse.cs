using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Microsoft.Net.Http.Headers;

namespace Archiver.Worker.Http;

/// <summary>
/// Sends a document. A client that takes gzip gets the stored bytes untouched: a session's part of an object, also of a bundle, is a whole
/// gzip member. Any other gets JSON, compared with the ledger's hash on the way; of a damaged one the end is missing, and the server breaks
/// the connection off, because the status and the length are out by then.
/// </summary>
internal static class DocumentResponse
{
    public static async Task<IResult> SendAsync(
        HttpContext context,
        LocatedArchive archive,
        ArchiveDownloader downloader,
        CancellationToken cancellationToken
    )
    {
        // Opened before anything is said: what is missing or was erased is an error, and no empty document or one that the client has.
        var gzip = await downloader.OpenGzipAsync(archive, cancellationToken);
        await using (gzip)
        {
            var response = context.Response;
            var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(archive.JsonSha256)}\"", isWeak: true);
            response.Headers.ETag = tag.ToString();
            response.Headers.Vary = "Accept-Encoding";
            // A document never changes, but it may be erased: every use is asked for.
            response.Headers.CacheControl = "private, no-cache";
            if (context.Request.GetTypedHeaders().IfNoneMatch.Any(m => m.Compare(tag, useStrongComparison: false)))
                return Results.StatusCode(StatusCodes.Status304NotModified);
            response.ContentType = "application/json; charset=utf-8";
            response.Headers["Archiver-Generation"] = archive.Generation.ToString(System.Globalization.CultureInfo.InvariantCulture);
            if (TakesGzip(context.Request))
            {
                response.Headers.ContentEncoding = "gzip";
                response.ContentLength = archive.Length;
                await gzip.CopyToAsync(response.Body, cancellationToken);
                return Results.Empty;
            }
            response.ContentLength = archive.JsonLength;
            await downloader.CopyJsonAsync(archive, gzip, response.Body, cancellationToken);
            return Results.Empty;
        }
    }

    private static bool TakesGzip(HttpRequest request) =>
        request
            .GetTypedHeaders()
            .AcceptEncoding.Any(e => e.Quality is not 0 && (e.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase) || e.Value == "*"));
}
