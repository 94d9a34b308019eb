using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Status;

/// <summary>What archives name stays safe without foreign keys.</summary>
public sealed class LedgerParentTests(FilledLedger ledger) : IClassFixture<FilledLedger>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What foreign keys did, without asking for the parent of each row.</summary>
    [Theory]
    [InlineData("DELETE FROM archiver.objects WHERE key = 'o7'")]
    [InlineData("DELETE FROM archiver.runs WHERE id = '" + FilledLedger.Run + "'")]
    [InlineData("TRUNCATE archiver.objects")]
    [InlineData("TRUNCATE archiver.runs CASCADE")]
    public async Task Nobody_removes_what_archives_name(string sql)
    {
        await using var archiver = await ledger.CopyAsync();
        await archiver.Database.ExecuteAsync("ALTER TABLE archiver.objects DROP CONSTRAINT objects_run_id_fkey", Token);

        var error = await Assert.ThrowsAsync<PostgresException>(() => archiver.Database.ExecuteAsync(sql, Token));

        Assert.Equal(PostgresErrorCodes.ForeignKeyViolation, error.SqlState);
        await archiver.Database.ExecuteAsync($"DELETE FROM archiver.archives; {sql}", Token);
    }

    [Theory]
    [InlineData(1_000_000, false)]
    [InlineData(null, true)]
    public async Task No_archive_is_written_without_its_object_and_its_run(int? missing, bool runIsGone)
    {
        await using var archiver = await ledger.CopyAsync();
        await using var scope = await archiver.BeginAsync(new(archiver.Source, archiver.Policy), Token);
        var there = await archiver.Database.ScalarAsync<long>("SELECT min(id) FROM archiver.objects", Token);
        if (runIsGone)
            await archiver.Database.ExecuteAsync($"DELETE FROM archiver.runs WHERE id = '{scope.Context.Id}'", Token);
        await using var connection = await archiver.Connections.OpenAsync(Token);

        var error = await Assert.ThrowsAnyAsync<Exception>(() =>
            new ArchiveLedger(scope.Context, "s3://test").InsertArchivesAsync(
                connection,
                "2026-01-01T00:00:00Z",
                [Record("one", there), Record("two", missing ?? there)],
                Token
            )
        );

        Assert.True(
            error is ArchiverException || (error is PostgresException { SqlState: PostgresErrorCodes.NotNullViolation } && runIsGone),
            error.ToString()
        );
    }

    private static ArchiveRecord Record(string session, long objectId) =>
        new()
        {
            SessionId = session,
            ExternalId = null,
            Generation = 1,
            State = "archived",
            User = null,
            Created = "2020-01-01 00:00:00+00",
            FirstActivity = "2020-01-01 00:00:00+00",
            LastActivity = null,
            Messages = 1,
            Rows = 2,
            ObjectId = objectId,
            Offset = 0,
            Length = 1,
            JsonLength = 1,
            JsonSha256 = [1],
            Fingerprints = "{}",
            Keep = null,
        };
}
