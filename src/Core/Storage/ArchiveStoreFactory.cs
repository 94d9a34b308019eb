using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Storage.Files;
using Archiver.Core.Storage.S3;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Storage;

/// <summary>Makes the store that the settings choose, with retries around it.</summary>
public static class ArchiveStoreFactory
{
    /// <summary>A store for the whole life of the process; it sends nothing yet. It is <see cref="IDisposable"/>.</summary>
    /// <param name="storage">Which store.</param>
    /// <param name="retry">How long to go on against errors that may pass.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">For retries.</param>
    /// <param name="sent">Told of each request that is sent, repeated ones too; by many threads.</param>
    /// <exception cref="StorageException">Neither an S3 endpoint nor an AWS region is known.</exception>
    public static IArchiveStore Create(
        StorageSettings storage,
        RetrySettings retry,
        TimeProvider time,
        ILoggerFactory loggers,
        Action<Uri>? sent = null
    )
    {
        IArchiveStore store = storage.Provider switch
        {
            StorageProvider.S3 => new S3ArchiveStore(storage, time, sent),
            StorageProvider.File => new FileArchiveStore(storage),
            _ => throw new ArgumentOutOfRangeException(nameof(storage), storage.Provider, "Unknown storage provider."),
        };
        return new ResilientArchiveStore(store, retry, time, loggers.CreateLogger("Archiver.Storage"));
    }
}
