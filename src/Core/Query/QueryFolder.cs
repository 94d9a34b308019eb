namespace Archiver.Core.Query;

/// <summary>
/// The folder that DuckDB spills to: this process's alone, and gone with the question. One whose process was killed is removed by the next
/// question of the same user: a lock, which ends with its process, tells them apart.
/// </summary>
internal sealed class QueryFolder : IDisposable
{
    private const string Prefix = "archiver-query-",
        LockName = "lock";

    private readonly FileStream _lock;

    private QueryFolder(string path, FileStream @lock) => (Path, _lock) = (path, @lock);

    public string Path { get; }

    /// <param name="parent">The folder for temporary files; null for the system's.</param>
    /// <exception cref="Spool.SpoolException">The folder is full, or may not be written.</exception>
    public static QueryFolder Create(string? parent)
    {
        var folder = parent ?? System.IO.Path.GetTempPath();
        try
        {
            foreach (var left in Directory.GetDirectories(folder, Prefix + "*"))
                RemoveIfLeft(left);
            var id = Guid.NewGuid().ToString("N");
            var (made, path) = (System.IO.Path.Combine(folder, $"archiver-new-{id}"), System.IO.Path.Combine(folder, Prefix + id));
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(made);
            else
                Directory.CreateDirectory(made, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            // It gets its name when it is locked: another question that begins now would remove it.
            var locked = Lock(made, FileMode.CreateNew);
            Directory.Move(made, path);
            return new(path, locked);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new Spool.SpoolException(folder, exception);
        }
    }

    public void Dispose()
    {
        Directory.Delete(Path, recursive: true);
        _lock.Dispose();
    }

    private static FileStream Lock(string path, FileMode mode) =>
        new(System.IO.Path.Combine(path, LockName), mode, FileAccess.ReadWrite, FileShare.None);

    private static void RemoveIfLeft(string path)
    {
        // Others may use the folder for temporary files as well, and name theirs as we name ours.
        if (!OwnFolder.Is(path))
            return;
        try
        {
            using var locked = Lock(path, FileMode.Open);
            Directory.Delete(path, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // In use, or just made.
        }
    }
}
