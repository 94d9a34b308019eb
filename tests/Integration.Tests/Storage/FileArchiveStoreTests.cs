using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Spool;
using Archiver.Core.Storage;
using Archiver.Core.Storage.Files;

namespace Archiver.Integration.Tests.Storage;

public sealed class FileArchiveStoreTests : StoreContract, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("store-").FullName;
    private readonly FileArchiveStore _store;

    public FileArchiveStoreTests() =>
        _store = new FileArchiveStore(new StorageSettings { Provider = StorageProvider.File, Path = _folder });

    private protected override IArchiveStore Store => _store;

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Leaves_nothing_behind_when_the_content_fails()
    {
        var error = await Assert.ThrowsAsync<StorageException>(() =>
            Store.PutIfAbsentAsync("a/k", new FullDisk(), TestContent.NewAttempt(), Token)
        );

        Assert.Equal(StorageFailure.Permanent, error.Failure);
        Assert.Contains("Archiver:Storage:Path", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Refuses_only_the_object_whose_name_is_too_long_for_the_folder()
    {
        var error = await Assert.ThrowsAsync<ObjectRefusedException>(() =>
            Store.PutIfAbsentAsync($"a/{new string('k', 300)}", TestContent.Random(7), TestContent.NewAttempt(), Token)
        );

        Assert.Equal("name too long", error.Code);
        Assert.Empty(Directory.GetFiles(_folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Only_the_owner_may_read_what_is_stored()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix modes");
        await Store.PutIfAbsentAsync("a/k", TestContent.Random(10), TestContent.NewAttempt(), Token);

        var files = Directory.GetFiles(_folder, "*", SearchOption.AllDirectories);

        Assert.Equal(2, files.Length);
        Assert.All(files, f =>
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(f))
        );
    }

    [Fact]
    public async Task Does_not_take_a_file_that_was_copied_here_by_hand_for_its_own_put()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "k"), "by hand", Token);
        var metadata = TestContent.NewAttempt();

        var first = await Store.PutIfAbsentAsync("k", TestContent.Random(7), metadata, Token);
        var second = await Store.PutIfAbsentAsync("k", TestContent.Random(7), metadata, Token);

        Assert.Equal([PutResult.AlreadyExists, PutResult.AlreadyExists], [first, second]);
        Assert.Empty((await Store.HeadAsync(new ObjectName("k"), Token))!.Metadata);
    }

    [Fact]
    public async Task A_claim_that_a_crash_left_serves_its_own_put_and_stops_others()
    {
        var metadata = TestContent.NewAttempt();
        await Store.PutIfAbsentAsync("k", TestContent.Random(7), metadata, Token);
        File.Delete(Path.Combine(_folder, "k"));

        var other = await Store.PutIfAbsentAsync("k", TestContent.Random(7), TestContent.NewAttempt(), Token);
        var own = await Store.PutIfAbsentAsync("k", TestContent.Random(7), metadata, Token);

        Assert.False(other.Stored);
        Assert.True(own.Stored);
    }

    [Fact]
    public async Task A_folder_that_is_away_is_not_an_absent_object()
    {
        Directory.Delete(_folder);

        foreach (
            var call in (Func<Task>[])
                [
                    () => Store.OpenAsync(new ObjectName("k"), Token),
                    () => Store.HeadAsync(new ObjectName("k"), Token),
                    () => ListAsync(""),
                    () => Store.RefusesOverwriteAsync("", 1, Token),
                    () => Store.DeleteAllVersionsAsync(new ObjectName("k"), Token),
                    () => Store.PutIfAbsentAsync("k", TestContent.Random(1), TestContent.NewAttempt(), Token),
                ]
        )
        {
            var error = await Assert.ThrowsAsync<StorageException>(call);
            Assert.Equal(StorageFailure.Permanent, error.Failure);
            Assert.Equal($"The folder '{_folder}' does not exist; mount or create it, or correct Archiver:Storage:Path.", error.Message);
        }
        Assert.False(Directory.Exists(_folder));
    }

    [Fact]
    public async Task An_empty_mount_point_does_not_say_that_an_object_is_gone()
    {
        var outcome = await Store.DeleteAllVersionsAsync([new("p/2026/01/a.json.gz")], Token);

        Assert.Contains("Is its disk mounted?", outcome.Failures["p/2026/01/a.json.gz"].Message, StringComparison.Ordinal);
    }

    private sealed class FullDisk : IObjectContent
    {
        public long Length => 10;

        public ReadOnlyMemory<byte> Sha256 => default;

        public Stream OpenRead() => new Broken();

        private sealed class Broken : MemoryStream
        {
            public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
            {
                destination.Write("half"u8);
                throw new IOException("No space left on device", 28);
            }
        }
    }

    /// <summary>A file whose name is not durable is gone after a power cut, and its rows with it.</summary>
    [Fact]
    public async Task A_put_says_that_it_is_done_when_the_name_is_durable()
    {
        List<(string Folder, bool IsThere)> synced = [];
        var store = new FileArchiveStore(new StorageSettings { Provider = StorageProvider.File, Path = _folder }, folder =>
        {
            PosixFile.SyncFolder(folder);
            synced.Add((folder, File.Exists(Path.Combine(_folder, "a", "k"))));
        });

        Assert.True((await store.PutIfAbsentAsync("a/k", TestContent.Random(10), TestContent.NewAttempt(), Token)).Stored);

        Assert.Equal([(_folder, false), (Path.Combine(_folder, "a"), true)], synced);
        Assert.Throws<IOException>(() => PosixFile.SyncFolder(Path.Combine(_folder, "absent")));
    }
}
