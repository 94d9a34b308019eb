namespace Archiver.Testing;

/// <summary>The working copy that the tests run from.</summary>
public static class Repository
{
    private const string Solution = "Archiver.sln";

    /// <summary>Folder of <c>Archiver.sln</c>, found by walking up from the test assembly.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A file of the repository by its path below the root.</summary>
    public static string File(params string[] parts)
    {
        var path = Path.Combine([Root, .. parts]);
        return System.IO.File.Exists(path) ? path : throw new FileNotFoundException($"{path} is not there.", path);
    }

    /// <summary>A file of a project's build output, in the configuration and framework that the running tests were built with.</summary>
    public static string BuildOutput(string project, string file)
    {
        var framework = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var path = Path.Combine(Root, project, "bin", framework.Parent!.Name, framework.Name, file);
        return System.IO.File.Exists(path)
            ? path
            : throw new FileNotFoundException(
                $"{path} is not built: run dotnet build for the whole solution, in the tests' configuration.",
                path
            );
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, Solution)))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException($"No {Solution} in any folder above {AppContext.BaseDirectory}.");
    }
}
