using System.Globalization;
using System.Text.Json.Serialization;

namespace Archiver.Core.Bucket;

/// <summary>
/// What one committed batch became, as a small object beside the archives (docs/protocol.md rule 22): with it a lost ledger can tell which
/// objects a commit confirmed. It names no user and holds no text of a row.
/// </summary>
internal sealed record BatchManifest
{
    /// <summary>Name and version of the format; readers skip any other.</summary>
    public const string CurrentFormat = "archiver.manifest/1";

    public required string Format { get; init; }

    public required string LedgerId { get; init; }

    public required string SystemId { get; init; }

    public required string Database { get; init; }

    public required string Source { get; init; }

    public required string Policy { get; init; }

    public required Guid Run { get; init; }

    public required int Sequence { get; init; }

    public required IReadOnlyList<ManifestMember> Members { get; init; }

    /// <summary>Where the manifests of a prefix are.</summary>
    public static string Folder(string prefix) => $"{prefix}/.archiver/manifests/";

    /// <summary><c>{prefix}/.archiver/manifests/{run}-{sequence}.json.gz</c>, the nonce, if any, after a tilde.</summary>
    public string Key(string prefix, string? nonce) => KeyOf(prefix, Run, Sequence, nonce);

    /// <summary>The same of a manifest that is not at hand.</summary>
    public static string KeyOf(string prefix, Guid run, int sequence, string? nonce) =>
        string.Create(CultureInfo.InvariantCulture, $"{Folder(prefix)}{run}-{sequence:D6}{(nonce is null ? "" : "~")}{nonce}.json.gz");
}

/// <summary>One session of a committed batch.</summary>
/// <param name="State"><c>archived</c>: its rows were deleted in that commit; <c>stored</c>: they stayed.</param>
/// <param name="JsonSha256">Of the document, hexadecimal.</param>
internal sealed record ManifestMember(
    string Session,
    int Generation,
    string State,
    string Key,
    string? Version,
    long Offset,
    long Length,
    long JsonLength,
    string JsonSha256
);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = false
)]
[JsonSerializable(typeof(BatchManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
