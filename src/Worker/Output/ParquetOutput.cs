using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Output;

/// <summary>
/// A file or folder of Parquet that appears when it is whole: until then it is in a folder beside it, which is removed whatever happens.
/// </summary>
internal sealed class ParquetOutput : IDisposable
{
    private readonly string _target;

    private ParquetOutput(string target, string folder) => (_target, Folder) = (target, folder);

    /// <summary>The folder that may be written to.</summary>
    public string Folder { get; }

    /// <summary>What is written there.</summary>
    public string Path => System.IO.Path.Combine(Folder, "result.parquet");

    /// <exception cref="ArchiverException">It is there already, or its folder is not, or may not be written.</exception>
    public static ParquetOutput For(string target)
    {
        if (System.IO.Path.Exists(target))
            throw new ArchiverException(
                FailureKind.Configuration,
                $"{target} is there already, and nothing is overwritten: name another, or remove it."
            );
        var parent = System.IO.Path.GetDirectoryName(target)!;
        try
        {
            if (!Directory.Exists(parent))
                throw new ArchiverException(FailureKind.Configuration, $"There is no folder {parent} for the result.");
            var folder = System.IO.Path.Combine(parent, $".archiver-{Guid.NewGuid():N}");
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(folder);
            else
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return new(target, folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ArchiverException(FailureKind.Failed, $"The folder for the result cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>It is whole.</summary>
    public void Keep()
    {
        try
        {
            Directory.Move(Path, _target);
        }
        catch (IOException exception)
        {
            throw new ArchiverException(FailureKind.Failed, $"The result cannot be moved to {_target}: {exception.Message}", exception);
        }
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
