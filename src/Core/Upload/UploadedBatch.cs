using System.Threading.Channels;
using Archiver.Core.Export;

namespace Archiver.Core.Upload;

/// <summary>
/// A batch on its way into the store. Its objects are handed on one by one, as soon as each was recorded as pending and accepted by the
/// store: what was just written is the cheapest to read back, and the reading need not wait for the batch's last object.
/// </summary>
internal sealed class UploadedBatch
{
    private readonly Channel<UploadedObject> _objects = Channel.CreateUnbounded<UploadedObject>();

    private UploadedBatch(ExportedBatch export) => Export = export;

    public ExportedBatch Export { get; }

    /// <summary>The objects in the order in which the store accepted or refused them.</summary>
    public IAsyncEnumerable<UploadedObject> Objects => _objects.Reader.ReadAllAsync();

    /// <summary>Nothing of it is stored yet.</summary>
    public static UploadedBatch Of(ExportedBatch export) => new(export);

    /// <summary>Hands an object on.</summary>
    public void Add(UploadedObject stored) => _objects.Writer.TryWrite(stored);

    /// <summary>No further object comes: all are stored, or <paramref name="failure"/> ended the upload and is the reader's too.</summary>
    public void Complete(Exception? failure) => _objects.Writer.TryComplete(failure);
}
