using System.Globalization;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests;

/// <summary>What a single large session may cost: some memory, room for temporary files, and never the others.</summary>
public sealed class LargeSessionTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_folder_for_temporary_files_is_said_at_once_and_stops_no_other_session()
    {
        await using var disk = await SmallDisk.MountAsync(4, Token);
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 0, messages: 1);
        await EnlargeAsync(archiver, "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 900000) AS n)");
        archiver.With("Retry:Budget", "10m");

        await using var process = archiver.Start(new Dictionary<string, string?> { ["TMPDIR"] = disk.Folder }, "archive");
        var result = await process.WaitForExitAsync(Token).WaitAsync(TimeSpan.FromMinutes(2), Token);

        Assert.Equal((1, 1L), (result.ExitCode, await archiver.LiveSessionsAsync()));
        Assert.Contains(disk.Folder, result.Error, StringComparison.Ordinal);
        Assert.Contains("TMPDIR", result.Error, StringComparison.Ordinal);
        Assert.Contains(
            "no room for its document",
            await archiver.Database.ScalarAsync<string>("SELECT reason FROM archiver.quarantine"),
            StringComparison.Ordinal
        );
        Assert.Equal(0, (await archiver.RunAsync("quarantine", "retry", "--all")).ExitCode);
        Assert.Equal((0, 0L), ((await archiver.RunAsync("archive")).ExitCode, await archiver.LiveSessionsAsync()));
    }

    /// <summary>200 MB and three times the largest value, in the sizes between two steps of growing buffers.</summary>
    [Theory]
    [InlineData(55, "a message")]
    [InlineData(70, "a message")]
    [InlineData(55, "a column of the session")]
    [InlineData(55, "a message among sessions with attachments")]
    public async Task One_large_value_takes_no_more_than_three_times_its_size(int megabytes, string where)
    {
        await using var archiver = await Installation.CreateAsync(
            servers,
            Token,
            idle: where == "a message" ? 1 : 8,
            young: 0,
            messages: 1
        );
        var value = string.Create(
            CultureInfo.InvariantCulture,
            $"repeat('The quick brown fox jumps over the lazy dog. ', {megabytes} * 1000000 / 45)"
        );
        if (where == "a column of the session")
            await archiver.Database.ExecuteAsync(
                $"ALTER TABLE chat_sessions ADD COLUMN notes text; UPDATE chat_sessions SET notes = "
                    + $"{value} WHERE session_id = (SELECT session_id FROM chat_sessions LIMIT 1)"
            );
        else
            await EnlargeAsync(archiver, value);
        if (where.EndsWith("attachments", StringComparison.Ordinal))
        {
            await archiver.Database.ExecuteAsync(
                "CREATE TABLE chat_files (id bigserial PRIMARY KEY, session_id uuid REFERENCES "
                    + "chat_sessions); CREATE INDEX ON chat_files (session_id)"
            );
            archiver
                .With("Sources:main:Tables:Children:files:Table", "public.chat_files")
                .With("Sources:main:Tables:Children:files:ForeignKey", "session_id")
                .With("Sources:main:Tables:Children:files:ParentKey", "session_id")
                .With("Sources:main:Tables:Children:files:Key", "id")
                .With("Sources:main:Tables:Children:files:Order:0", "id");
        }

        Assert.InRange(await PeakAsync(archiver, "archive"), 1, 200 + (3 * megabytes));
        Assert.Equal(0, await archiver.LiveSessionsAsync());
        // The way back, once each: a drill, what reads documents that the ledger does not know, and a restore.
        if (where == "a column of the session")
        {
            Assert.InRange(await PeakAsync(archiver, "verify", "--all", "--restore-drill", "8"), 1, 200 + (3 * megabytes));
            await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);
            Assert.InRange(await PeakAsync(archiver, "ledger", "rebuild"), 1, 200 + (3 * megabytes));
        }
        if (where == "a message" && megabytes == 55)
            Assert.InRange(await PeakAsync(archiver, "restore", "--from", "2000-01-01"), 1, 200 + (3 * megabytes));
    }

    [Fact]
    public async Task A_text_that_every_line_of_a_large_message_has_takes_no_more_memory_than_the_message()
    {
        const int Megabytes = 10;
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0, messages: 1);
        await EnlargeAsync(archiver, $"repeat(E'a\\n', {Megabytes}000000 / 2)");
        await archiver.RunAsync("archive");

        Assert.InRange(await PeakAsync(archiver, "search", "a"), 1, 200 + (3 * Megabytes));
    }

    /// <summary>Megabytes of memory that a verb took at most.</summary>
    private static async Task<long> PeakAsync(Installation archiver, params string[] verb)
    {
        await using var process = archiver.Start(verb);
        var peak = 0L;
        while (!process.HasExited)
        {
            peak = Math.Max(peak, await PeakAsync(process.Id));
            await Task.Delay(20, Token);
        }

        var result = await process.WaitForExitAsync(Token);
        Assert.True(result.ExitCode == 0, result.Error);
        TestContext.Current.TestOutputHelper!.WriteLine($"{verb[0]}: peak {peak} MB");
        return peak;
    }

    private static Task<int> EnlargeAsync(Installation archiver, string content) =>
        archiver.Database.ExecuteAsync($"UPDATE chat_messages SET content = {content} WHERE id = (SELECT min(id) FROM chat_messages)");

    /// <summary>Megabytes of memory at most so far; 0 when the process has ended.</summary>
    private static async Task<long> PeakAsync(int process)
    {
        try
        {
            var line = (await File.ReadAllLinesAsync($"/proc/{process}/status", Token)).FirstOrDefault(l =>
                l.StartsWith("VmHWM", StringComparison.Ordinal)
            );
            return line is null
                ? 0
                : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024 / 1_000_000;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
