namespace Archiver.Core.Spool;

/// <summary>Bytes to store. They can be read again from the start, because a put may have to be repeated.</summary>
public interface IObjectContent
{
    /// <summary>Length in bytes.</summary>
    long Length { get; }

    /// <summary>SHA-256 of all the bytes, 32 bytes.</summary>
    ReadOnlyMemory<byte> Sha256 { get; }

    /// <summary>A new stream over all the bytes, from the first; the caller disposes it.</summary>
    Stream OpenRead();
}
