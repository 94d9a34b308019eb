using System.Xml;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// Whether an answer is of the kind that was asked for. The SDK reads a proxy's HTML page, a listing of another kind or of another bucket
/// as a listing without entries, and then whatever is in the bucket counts as gone.
/// </summary>
internal static class S3AnswerCheck
{
    // By the query parameter that makes the request one of the kind.
    private static readonly Dictionary<string, (string Root, string? Bucket)> Kinds = new(StringComparer.Ordinal)
    {
        ["list-type"] = ("ListBucketResult", "Name"),
        ["versions"] = ("ListVersionsResult", "Name"),
        ["uploads"] = ("ListMultipartUploadsResult", "Bucket"),
        ["lifecycle"] = ("LifecycleConfiguration", null),
    };

    /// <summary>
    /// Requires of a listing its root element, the bucket and the prefix that were asked for, and whether more follows; of the lifecycle
    /// rules their root.
    /// </summary>
    /// <exception cref="XmlException">It is something else; a proxy or another service may have answered in the store's place.</exception>
    public static void Require(HttpRequestMessage request, byte[] body, string bucket)
    {
        var query = Query(request.RequestUri!);
        if (request.Method != HttpMethod.Get || query.Keys.FirstOrDefault(Kinds.ContainsKey) is not { } kind)
            return;
        var (root, bucketElement) = Kinds[kind];
        var (found, members) = Read(body);
        if (found != root)
            throw Foreign($"its root element is '{found}' instead of {root}");
        if (bucketElement is null)
            return;
        if (members.GetValueOrDefault(bucketElement) != bucket)
            throw Foreign($"it does not say that it lists the bucket '{bucket}'");
        var prefix = members.GetValueOrDefault("Prefix") ?? "";
        var wanted = query.GetValueOrDefault("prefix") ?? "";
        if (prefix != wanted && !(query.ContainsKey("encoding-type") && Uri.UnescapeDataString(prefix) == wanted))
            throw Foreign($"it does not say that it lists '{wanted}'");
        if (members.GetValueOrDefault("IsTruncated") is not ("true" or "false"))
            throw Foreign("it does not say whether it is complete");
    }

    private static (string Root, Dictionary<string, string> Members) Read(byte[] body)
    {
        try
        {
            using var reader = XmlReader.Create(
                new MemoryStream(body, writable: false),
                new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null }
            );
            reader.MoveToContent();
            var root = reader.LocalName;
            Dictionary<string, string> members = new(StringComparer.Ordinal);
            reader.Read();
            while (!reader.EOF)
            {
                // Entries have children; what counts are the texts beside them.
                if (
                    reader.NodeType == XmlNodeType.Element
                    && reader.Depth == 1
                    && reader.LocalName is "Name" or "Bucket" or "Prefix" or "IsTruncated"
                )
                    members.TryAdd(reader.LocalName, reader.ReadElementContentAsString());
                else if (reader.NodeType == XmlNodeType.Element)
                    reader.Skip();
                else
                    reader.Read();
            }
            return (root, members);
        }
        catch (XmlException exception)
        {
            throw Foreign($"it is no XML: {exception.Message}");
        }
    }

    private static XmlException Foreign(string why) =>
        new($"it is not the listing that was asked for, because {why}. A proxy or another service may answer in the store's place.");

    private static Dictionary<string, string> Query(Uri uri)
    {
        Dictionary<string, string> parameters = new(StringComparer.Ordinal);
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            parameters[at < 0 ? pair : pair[..at]] = at < 0 ? "" : Uri.UnescapeDataString(pair[(at + 1)..]);
        }
        return parameters;
    }
}
