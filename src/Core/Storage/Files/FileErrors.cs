using System.Text.Json;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.Files;

/// <summary>Turns errors of the file system into <see cref="StorageException"/>.</summary>
internal sealed class FileErrors(string root)
{
    private const int NoSuchDevice = 19; // ENODEV, and the errors below: names as in errno.h
    private const int IoError = 5;
    private const int Busy = 16;
    private const int Stale = 116;
    private const int NameTooLong = 36;

    /// <summary>The failure, or null for an exception that is not the file system's.</summary>
    public StorageException? Translate(Exception error) =>
        error switch
        {
            // A disk that is slow or away may come back; full, read-only, forbidden or without hard links stays so until an operator acts.
            EndOfStreamException or IOException { HResult: NoSuchDevice or IoError or Busy or Stale } => new StorageException(
                StorageFailure.Transient,
                $"The folder '{root}' (Archiver:Storage:Path) failed: {error.Message}",
                error
            ),
            // Of this object alone: a file system may take shorter names than most.
            PathTooLongException or IOException { HResult: NameTooLong } => new ObjectRefusedException(
                "name too long",
                $"The folder '{root}' (Archiver:Storage:Path) does not take the object: {error.Message}",
                error
            ),
            IOException or UnauthorizedAccessException => new StorageException(
                StorageFailure.Permanent,
                $"The folder '{root}' (Archiver:Storage:Path) cannot be used: {error.Message} Free space, or correct its permissions or "
                    + "the setting.",
                error
            ),
            JsonException => new StorageException(
                StorageFailure.Permanent,
                $"A metadata file in '{root}' (Archiver:Storage:Path) is damaged: {error.Message}",
                error
            ),
            _ => null,
        };

    /// <summary>What to say where a folder is missing in which something was stored: the store never removes one, so it is away.</summary>
    public static StorageException Away(FileKey at, ObjectName name) =>
        new(
            StorageFailure.Permanent,
            $"The folder '{at.Folder}' (below Archiver:Storage:Path) is not there, so it does not say that '{name.Key}' is gone. Is "
                + "its disk mounted? If it is lost for good, make the folder anew."
        );

    /// <exception cref="StorageException">The root folder is not there.</exception>
    public void RequireRoot()
    {
        if (!Directory.Exists(root))
            throw new StorageException(
                StorageFailure.Permanent,
                $"The folder '{root}' does not exist; mount or create it, or correct Archiver:Storage:Path."
            );
    }
}
