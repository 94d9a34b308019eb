using System.Runtime.CompilerServices;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reading;

/// <summary>
/// Finds in the ledger what a restore asks for, in the order of the objects, so that members of one bundle come together.
/// </summary>
internal sealed class CandidateFinder(SourceConnections connections)
{
    private const int PageSize = 5000;

    /// <summary>Whether the ledger is there and knows the source; an empty one, as a migration leaves it, knows nothing.</summary>
    public async Task<bool> HasArchivesAsync(string source, CancellationToken cancellationToken)
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        return await Migrator.ExistsAsync(connection, cancellationToken)
            && await connection.ScalarAsync<bool>(
                "SELECT EXISTS (SELECT FROM archiver.archives AS a WHERE a.source = $1)",
                cancellationToken,
                PgParameter.Text(source)
            );
    }

    /// <summary>How the source's keys are written.</summary>
    public async Task<SessionIdForm> FormAsync(CancellationToken cancellationToken)
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        return await SessionIdForm.ReadAsync(connection, connections.Map, cancellationToken);
    }

    /// <summary>Page by page; each with the ids under which it was found.</summary>
    /// <param name="options">What is asked for.</param>
    /// <param name="form">Of the source's keys.</param>
    /// <param name="kind">Which archives; of one session several may be found, the newest first, except of whole sessions.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async IAsyncEnumerable<IReadOnlyList<FoundArchive>> FindAsync(
        RestoreOptions options,
        SessionIdForm form,
        CandidateKind kind,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var onlyArchived = options.IntoSource && options.Ids.Count == 0 && options.ObjectKeys.Count == 0;
        var (afterObject, afterOffset, afterId, before) = (
            -1L,
            -1L,
            kind == CandidateKind.Sessions ? -1L : long.MaxValue,
            DateTimeOffset.MaxValue
        );
        (IReadOnlyCollection<string>? users, IReadOnlyList<string?>? externalIds, string? sql) = (null, null, null);
        while (true)
        {
            await using var connection = await connections.OpenAsync(cancellationToken);
            users ??= await UsersAsync(connection, options, cancellationToken);
            externalIds ??= await ExternalIdsAsync(connection, options, form, cancellationToken);
            sql ??= CandidateStatements.Page(
                kind,
                options.IntoSource ? await IsThereAsync(connection, cancellationToken) : null,
                options.OnConflict == ConflictMode.Replace
            );
            var page = await connection.QueryAsync(
                sql,
                row => Read(options.Source, row),
                cancellationToken,
                PgParameter.Text(options.Source),
                Texts([.. options.Ids.Select(form.KeyOf)]),
                Texts(options.ObjectKeys),
                PgParameter.TextsOrNull(users),
                Uuid(options.Run),
                PgParameter.InstantOrNull(options.From),
                PgParameter.InstantOrNull(options.To),
                PgParameter.Bool(onlyArchived),
                PgParameter.Int(options.Generation),
                PgParameter.Bigint(afterObject),
                PgParameter.Bigint(afterOffset),
                PgParameter.Bigint(afterId),
                PgParameter.Int(PageSize),
                Texts(externalIds),
                PgParameter.Instant(before)
            );
            if (page.Count > 0)
                yield return page;
            if (page.Count < PageSize)
                yield break;
            (afterObject, afterOffset, afterId, before) = (
                page[^1].ObjectId,
                page[^1].Archive.Offset,
                page[^1].Archive.Id,
                page[^1].Archive.CopiedAt!.Value
            );
        }
    }

    /// <summary>
    /// Whole sessions that a selection by user, run or dates names and that were restored before: how many are there, and which are gone
    /// since.
    /// </summary>
    public async Task<(long There, IReadOnlyList<string> Gone)> RestoredAsync(RestoreOptions options, CancellationToken cancellationToken)
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        var restored = await connection.QueryAsync(
            CandidateStatements.Restored(await IsThereAsync(connection, cancellationToken)),
            row => (Session: row.GetString(0), IsThere: row.GetBoolean(1)),
            cancellationToken,
            PgParameter.Text(options.Source),
            PgParameter.TextsOrNull(await UsersAsync(connection, options, cancellationToken)),
            Uuid(options.Run),
            PgParameter.InstantOrNull(options.From),
            PgParameter.InstantOrNull(options.To)
        );
        return (restored.Count(r => r.IsThere), [.. restored.Where(r => !r.IsThere).Select(r => r.Session).Distinct()]);
    }

    private async Task<string> IsThereAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        CandidateStatements.IsThere(connections.Map, await TableDescriber.DescribeAsync(connection, connections.Map, cancellationToken));

    // The ids that may be external ones, each in its place: null for one that the tables have as a session's key.
    private async Task<IReadOnlyList<string?>> ExternalIdsAsync(
        NpgsqlConnection connection,
        RestoreOptions options,
        SessionIdForm form,
        CancellationToken cancellationToken
    )
    {
        if (options.Ids.Count == 0 || connections.Map.Session.ExternalId is null)
            return options.Ids;
        var shape = await TableDescriber.DescribeAsync(connection, connections.Map, cancellationToken);
        var keys = await new SessionIds(connection, connections.Source, shape).LiveAmongAsync(
            [.. options.Ids.Select(form.KeyOf)],
            cancellationToken
        );
        return [.. options.Ids.Select(id => keys.Contains(form.KeyOf(id)) ? null : id)];
    }

    private Task<IReadOnlyCollection<string>?> UsersAsync(
        NpgsqlConnection connection,
        RestoreOptions options,
        CancellationToken cancellationToken
    ) => SameUser.InLedgerAsync(connection, options.Source, connections.Map, options.User, cancellationToken);

    private static FoundArchive Read(string source, NpgsqlDataReader row) =>
        new(
            LocatedArchive.Read(source, row) with
            {
                User = row.TextOrNull(12),
                Created = row.InstantOrNull(13),
                CopiedAt = row.GetFieldValue<DateTimeOffset>(14),
            },
            row.GetInt64(10),
            row.TextOrNull(11),
            row.GetBoolean(15),
            row.GetBoolean(16),
            row.GetBoolean(17),
            row.GetBoolean(18),
            row.GetBoolean(19)
        );

    private static NpgsqlParameter Texts(IReadOnlyList<string?> values) =>
        values.Count > 0
            ? PgParameter.Texts(values)
            : new() { Value = DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Text };

    private static NpgsqlParameter Uuid(Guid? value) =>
        new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid };
}
