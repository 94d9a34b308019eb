using Archiver.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Storage;

/// <summary>Makes the store that the settings choose, with retries around it.</summary>
public static class ArchiveStoreFactory
{
    /// <summary>A store for the whole life of the process; it sends nothing yet. It is <see cref="IDisposable"/>.</summary>
    /// <exception cref="StorageException">Neither an S3 endpoint nor an AWS region is known.</exception>
    public static IArchiveStore Create(StorageSettings storage, RetrySettings retry, TimeProvider time, ILoggerFactory loggers)
    {
        IArchiveStore store = storage.Provider switch
        {
            StorageProvider.S3 => new S3ArchiveStore(storage, time),
            StorageProvider.File => new FileArchiveStore(storage),
            _ => throw new ArgumentOutOfRangeException(nameof(storage), storage.Provider, "Unknown storage provider."),
        };
        return new ResilientArchiveStore(store, retry, time, loggers.CreateLogger("Archiver.Storage"));
    }
}
