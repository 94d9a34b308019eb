using System.Security.Cryptography;

namespace Archiver.Core.Documents;

/// <summary>Collects a document's <see cref="DocumentContent"/> while it is parsed: each byte goes to the part that it belongs to.</summary>
internal sealed class ContentParts : IDisposable
{
    private readonly MemoryStream _tables = new(), _session = new();
    private readonly IncrementalHash _rest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>The part of a document that its next bytes belong to.</summary>
    public enum Part
    {
        Head,
        Tables,
        Session,
        Rest,
    }

    public Part Current { get; set; } = Part.Head;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        switch (Current)
        {
            case Part.Tables:
                _tables.Write(bytes);
                break;
            case Part.Session:
                _session.Write(bytes);
                break;
            case Part.Rest:
                _rest.AppendData(bytes);
                break;
            case Part.Head:
                break;
            default:
                throw new InvalidOperationException($"Unknown part {Current}.");
        }
    }

    public DocumentContent Complete() => new(Written(_tables), Written(_session), _rest.GetHashAndReset());

    // Not a copy: the row may be as large as a value can be.
    private static ReadOnlyMemory<byte> Written(MemoryStream part) => part.GetBuffer().AsMemory(0, (int)part.Length);

    public void Dispose()
    {
        _tables.Dispose();
        _session.Dispose();
        _rest.Dispose();
    }
}
