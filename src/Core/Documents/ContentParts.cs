using System.Security.Cryptography;
using System.Text;
using Archiver.Core.Settings;

namespace Archiver.Core.Documents;

/// <summary>Collects a document's <see cref="DocumentContent"/> while it is read.</summary>
/// <param name="tables">Its tables, as the document has them.</param>
internal sealed class ContentParts(string tables) : IDisposable
{
    private readonly IncrementalHash _rest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _session = [];

    public void Add(string table, ReadOnlySpan<byte> row)
    {
        if (table == SourceMap.SessionName)
        {
            _session = row.ToArray();
            return;
        }
        // No name and no JSON holds a zero byte: what is hashed can be taken apart in one way only.
        _rest.AppendData(Encoding.UTF8.GetBytes(table));
        _rest.AppendData([0]);
        _rest.AppendData(row);
        _rest.AppendData([0]);
    }

    public DocumentContent Complete() => new(tables, _session, _rest.GetHashAndReset());

    public void Dispose() => _rest.Dispose();
}
