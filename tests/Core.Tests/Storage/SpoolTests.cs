using System.Security.Cryptography;
using System.Text;
using Archiver.Core.Spool;

namespace Archiver.Core.Tests.Storage;

public sealed class SpoolTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("spool-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(2_000, 700)]
    [InlineData(4_096, 4_096)]
    [InlineData(300_000, 1_000)]
    [InlineData(1_000_000, 100_000)]
    [InlineData(1_048_576, 65_536)]
    [InlineData(3_000_001, 7_777)]
    public async Task Gives_back_every_byte_and_its_hash(int length, int step)
    {
        var bytes = RandomNumberGenerator.GetBytes(length);
        using var spool = new SpoolingStream(memoryLimit: 1_000_000, _folder);
        for (var i = 0; i < length; i += step)
            await spool.WriteAsync(bytes.AsMemory(i, Math.Min(step, length - i)), Token);

        await using var content = spool.Complete();

        Assert.Equal(length, content.Length);
        Assert.Equal(SHA256.HashData(bytes), content.Sha256.ToArray());
        Assert.Equal(bytes, await ReadAsync(content.OpenRead()));
        Assert.Equal(bytes, await ReadAsync(content.OpenRead()));
    }

    [Theory]
    [InlineData(100_000)]
    [InlineData(10_000_000)]
    public void Can_rewind_and_be_read_by_two_at_once(long memoryLimit)
    {
        var bytes = RandomNumberGenerator.GetBytes(500_000);
        using var spool = new SpoolingStream(memoryLimit, _folder);
        spool.Write(bytes);
        using var content = spool.Complete();
        using var one = content.OpenRead();
        using var two = content.OpenRead();
        var part = new byte[1000];

        one.Seek(-1000, SeekOrigin.End);
        two.Position = 65_000;
        two.ReadExactly(part);

        Assert.Equal(bytes[65_000..66_000], part);
        one.ReadExactly(part);
        Assert.Equal(bytes[^1000..], part);
        Assert.Equal(0, one.Read(part));
        one.Position = 0;
        one.ReadExactly(part);
        Assert.Equal(bytes[..1000], part);
    }

    [Fact]
    public void Says_at_once_that_its_folder_cannot_be_written()
    {
        using var spool = new SpoolingStream(memoryLimit: 10, Path.Combine(_folder, "missing"));

        var error = Assert.Throws<SpoolException>(() => spool.Write(new byte[11]));

        Assert.Contains($"The folder for temporary files, {Path.Combine(_folder, "missing")}", error.Message, StringComparison.Ordinal);
        // Not taken for a fault that passes.
        Assert.False(Archiver.Core.Postgres.PgErrors.IsTransient(error));
    }

    [Fact]
    public void Stays_in_memory_up_to_the_limit_and_leaves_it_beyond()
    {
        using var spool = new SpoolingStream(memoryLimit: 1000, _folder);

        spool.Write(new byte[1000]);
        var before = spool.IsSpilled;
        spool.WriteByte(1);

        Assert.False(before);
        Assert.True(spool.IsSpilled);
    }

    [Fact]
    public void A_temporary_file_holds_no_readable_text_and_has_no_name()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "looks into /proc");
        var secret = "The patient said that "u8.ToArray();
        using var spool = new SpoolingStream(memoryLimit: 100, _folder);
        for (var i = 0; i < 10_000; i++)
            spool.Write(secret);
        using var content = spool.Complete();

        var file = OpenFileIn(_folder);

        var onDisk = File.ReadAllBytes(file.Handle);
        Assert.True(onDisk.Length >= 220_000, $"only {onDisk.Length} bytes are on disk");
        Assert.Equal(-1, onDisk.AsSpan().IndexOf("patient"u8));
        Assert.EndsWith(" (deleted)", file.Target, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite,
            OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(file.Handle)
        );
    }

    [Fact]
    public void Disposing_frees_the_file_whether_completed_or_not()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "looks into /proc");
        var abandoned = new SpoolingStream(memoryLimit: 1, _folder);
        abandoned.Write("some bytes"u8);
        var completed = new SpoolingStream(memoryLimit: 1, _folder);
        completed.Write("some bytes"u8);
        var content = completed.Complete();
        completed.Dispose();
        Assert.Equal("some bytes", new StreamReader(content.OpenRead(), Encoding.UTF8).ReadToEnd());

        abandoned.Dispose();
        content.Dispose();

        Assert.DoesNotContain(OpenFiles(), f => f.Target.StartsWith(_folder, StringComparison.Ordinal));
        Assert.Throws<ObjectDisposedException>(() => content.OpenRead());
    }

    [Fact]
    public void Cannot_be_written_after_its_end()
    {
        using var spool = new SpoolingStream();
        using var content = spool.Complete();

        Assert.Throws<ObjectDisposedException>(() => spool.Write("more"u8));
        Assert.Throws<ObjectDisposedException>(spool.Complete);
    }

    private static async Task<byte[]> ReadAsync(Stream stream)
    {
        await using var _ = stream;
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Token);
        return copy.ToArray();
    }

    private static (string Handle, string Target) OpenFileIn(string folder) =>
        Assert.Single(OpenFiles(), f => f.Target.StartsWith(folder, StringComparison.Ordinal));

    private static List<(string Handle, string Target)> OpenFiles() =>
        [.. Directory.GetFiles("/proc/self/fd").Select(h => (h, new FileInfo(h).LinkTarget ?? ""))];
}
