using Archiver.Core.Diagnostics;

namespace Archiver.Core.Spool;

/// <summary>
/// The folder for temporary files has no room, or cannot be written. It is the machine's state and no passing fault of a connection: an
/// <see cref="IOException"/> would be taken for one, and tried again for as long as the retry budget lasts.
/// </summary>
internal sealed class SpoolException(string folder, Exception inner)
    : StorageException(
        StorageFailure.Permanent,
        $"The folder for temporary files, {folder}, cannot be used: {inner.Message.TrimEnd('.')}. What is larger than 8 MiB goes there, "
            + "encrypted: free space, or let TMPDIR name a folder with more.",
        inner
    );
