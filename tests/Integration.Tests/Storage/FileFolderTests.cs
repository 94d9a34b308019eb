using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Archiver.Core.Storage.Files;

namespace Archiver.Integration.Tests.Storage;

/// <summary>A folder as a store says that an object is gone only where the file system says so.</summary>
public sealed class FileFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("store-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private StorageSettings Settings => new() { Provider = StorageProvider.File, Path = _folder };

    private FileArchiveStore Store => new(Settings);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // A folder below the root may be a disk of its own, or a link to one.
    [Theory]
    [InlineData("moved")]
    [InlineData("dangling")]
    public async Task A_folder_below_the_root_that_is_away_does_not_say_that_its_objects_are_gone(string how)
    {
        string[] keys = ["p/2026/05/a", "p/2026/06/a"];
        foreach (var key in keys)
            await Store.PutIfAbsentAsync(key, TestContent.Random(7), TestContent.NewAttempt(), Token);
        var (month, elsewhere) = (Path.Combine(_folder, "p", "2026", "05"), Path.Combine(_folder, "elsewhere"));
        Directory.Move(month, elsewhere);
        if (how == "dangling")
            Directory.CreateSymbolicLink(month, Path.Combine(_folder, "unmounted"));

        var outcome = await Store.DeleteAllVersionsAsync([.. keys.Select(k => new ObjectName(k))], Token);
        var never = await Store.DeleteAllVersionsAsync([new("p/2026/05/a") { IsFolderKnown = false }], Token);

        Assert.Equal((false, true), (outcome.IsGone(keys[0]), outcome.IsGone(keys[1])));
        // Where nothing was ever put in a folder, it may not have been made.
        Assert.Equal(how == "moved", never.IsGone(keys[0]));
        await Assert.ThrowsAsync<StorageException>(() => Store.HeadAsync(new(keys[0]) { IsFolderKnown = true }, Token));
        if (how == "dangling")
        {
            await Assert.ThrowsAsync<StorageException>(() => Store.HeadAsync(new(keys[0]), Token));
            await Assert.ThrowsAsync<StorageException>(() => ListAsync("p/"));
            await Assert.ThrowsAsync<StorageException>(() => ListAsync("p/2026/05/"));
        }
        File.Delete(month);
        Directory.Move(elsewhere, month);
        Assert.NotNull(await Store.HeadAsync(new(keys[0]), Token));
    }

    // As root every folder may be entered. A loop of links and a file in the folder's place fail for root, too.
    [Theory]
    [InlineData("loop")]
    [InlineData("file")]
    public async Task A_folder_that_may_not_be_entered_is_not_an_absent_object(string how)
    {
        var month = Path.Combine(_folder, "05");
        if (how == "loop")
            Directory.CreateSymbolicLink(month, month);
        else
            await File.WriteAllTextAsync(month, "a file", Token);

        await Assert.ThrowsAsync<StorageException>(() => Store.OpenAsync(new ObjectName("05/a"), Token));
        await Assert.ThrowsAsync<StorageException>(() => Store.HeadAsync(new ObjectName("05/a"), Token));
        await Assert.ThrowsAsync<StorageException>(() => ListAsync("05/a/"));
        Assert.False((await Store.DeleteAllVersionsAsync([new("05/a") { IsFolderKnown = false }], Token)).IsGone("05/a"));
    }

    [Fact]
    public async Task A_link_in_an_objects_place_is_not_removed_for_the_object()
    {
        var elsewhere = Path.Combine(_folder, "elsewhere");
        await File.WriteAllTextAsync(elsewhere, "text", Token);
        File.CreateSymbolicLink(Path.Combine(_folder, "k"), elsewhere);

        var outcome = await Store.DeleteAllVersionsAsync([new("k")], Token);

        Assert.Contains("is a link", outcome.Failures["k"].Message, StringComparison.Ordinal);
    }

    // No file system of this machine need be so: the store is told of one that is.
    [Fact]
    public async Task A_folder_that_takes_two_keys_for_one_file_is_refused()
    {
        var store = new FileArchiveStore(Settings, isThere: path =>
            Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(path)!).Contains(path, StringComparer.OrdinalIgnoreCase)
        );
        await Store.PutIfAbsentAsync("p/05/Bob", TestContent.Random(7), TestContent.NewAttempt(), Token);

        var refused = await Assert.ThrowsAsync<StorageException>(() => store.RefusesOverwriteAsync("p", 7, Token));
        var other = await store.DeleteAllVersionsAsync([new("p/05/bob")], Token);
        var own = await store.DeleteAllVersionsAsync([new("p/05/Bob")], Token);

        Assert.Contains("takes two names that differ only in case for one file", refused.Message, StringComparison.Ordinal);
        Assert.Equal((false, true), (other.IsGone("p/05/bob"), own.IsGone("p/05/Bob")));
        Assert.True(await Store.RefusesOverwriteAsync("p", 7, Token));
        Assert.Empty(Directory.GetFiles(_folder, "*", SearchOption.AllDirectories));
    }

    private Task<int> ListAsync(string prefix) => Store.ListAsync(prefix, Token).CountAsync(Token).AsTask();
}
