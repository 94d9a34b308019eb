using System.Diagnostics;
using System.Runtime.Versioning;
using Archiver.Core.Query;

namespace Archiver.Core.Tests.Query;

/// <summary>The folder that a question spills to. Of those that were left it removes none that may be somebody else's.</summary>
[SupportedOSPlatform("linux")]
public sealed class QueryFolderTests : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode All =
        Owner
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite
        | UnixFileMode.OtherExecute;

    private readonly string _folder = Directory.CreateTempSubdirectory("query-folder-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Removes_what_a_killed_question_of_the_same_user_left_and_its_own()
    {
        var left = Left("archiver-query-left", Owner);

        using (var made = QueryFolder.Create(_folder))
        {
            Assert.Equal(Owner, File.GetUnixFileMode(made.Path));
            Assert.Equal([made.Path], Directory.GetFileSystemEntries(_folder));
        }

        Assert.False(Directory.Exists(left));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Leaves_what_a_question_that_goes_on_uses()
    {
        using var first = QueryFolder.Create(_folder);
        using var second = QueryFolder.Create(_folder);

        Assert.True(Directory.Exists(first.Path));
    }

    // Its owner could exchange a folder in it for a link while it is removed; for root that would be anything.
    [Theory]
    [InlineData(All)]
    [InlineData(Owner)]
    public void Leaves_a_folder_that_another_user_owns(UnixFileMode mode)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give a folder to another user, or remove his.");
        var left = Left("archiver-query-left", mode);
        using (var chown = Process.Start("chown", ["-R", "65534:65534", left]))
            chown.WaitForExit();

        QueryFolder.Create(_folder).Dispose();

        Assert.True(File.Exists(Path.Combine(left, "inside", "data")));
    }

    [Fact]
    public void Leaves_a_folder_that_others_can_write_to()
    {
        var left = Left("archiver-query-left", All);

        QueryFolder.Create(_folder).Dispose();

        Assert.True(File.Exists(Path.Combine(left, "inside", "data")));
    }

    [Fact]
    public void Leaves_a_link_and_what_it_points_to()
    {
        var other = Left("other", Owner);
        Directory.CreateSymbolicLink(Path.Combine(_folder, "archiver-query-link"), other);

        QueryFolder.Create(_folder).Dispose();

        Assert.True(Path.Exists(Path.Combine(_folder, "archiver-query-link", "inside", "data")));
    }

    private string Left(string name, UnixFileMode mode)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.Combine(path, "inside"));
        File.WriteAllText(Path.Combine(path, "inside", "data"), "");
        File.WriteAllText(Path.Combine(path, "lock"), "");
        File.SetUnixFileMode(path, mode);
        return path;
    }
}
