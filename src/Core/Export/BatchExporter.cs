using System.IO.Compression;
using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Export;

/// <summary>
/// Reads a batch from one REPEATABLE READ snapshot and makes its documents, of as many of its sessions as fit the bounds. The transaction
/// is read only and ends before anything is uploaded; nothing in the database changes.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="level">Of the documents' gzip.</param>
/// <param name="server">Where the rows are read.</param>
/// <param name="stored">
/// The sessions are stored already, and are compared with their copies: the policy's conditions are not asked again. A mark that a trigger
/// takes for activity would fail them, and a change since then shows in the versions.
/// </param>
/// <param name="toDelete">The sessions are to go: those that rows outside of the batch point to are left out.</param>
/// <param name="erased">What must not be archived again; null where nothing is to be.</param>
internal sealed class BatchExporter(
    RunContext run,
    CompressionLevel level,
    ExportServer server,
    bool stored = false,
    bool toDelete = true,
    TombstoneSet? erased = null
)
{
    /// <summary>Times that tables are inspected which somebody changes again and again, before the batch is left to the next run.</summary>
    private const int MaxLooks = 3;

    private readonly bool _parts = run.Policy.TakesParts && !stored;
    private readonly ExportShape _tables = new(run);

    public SourceShape Shape => _tables.Current;

    private RunContext Now => run with { Shape = Shape };

    private TimeColumn? Time(TableShape table) => run.Source.Map.Children.FirstOrDefault(c => c.Name == table.Name)?.Time;

    /// <summary>Sessions that are gone or active again since their selection are dropped, not exported.</summary>
    /// <exception cref="PostgresException">The server cannot deliver a value, or a timeout ran out.</exception>
    /// <exception cref="ArchiverException">The tables were changed, and are not fit any more.</exception>
    public async Task<ExportedBatch> ExportAsync(SelectedBatch batch, CancellationToken cancellationToken)
    {
        for (var looks = 0; looks < MaxLooks; looks++)
        {
            if (await TryExportAsync(batch, cancellationToken) is { } exported)
                return exported;
            await _tables.InspectAsync(cancellationToken);
        }
        return ExportedBatch.From([], batch.Dropped(DropReason.TableChanged), Shape, "", []);
    }

    /// <summary>Null where the tables are not as they were inspected.</summary>
    private async Task<ExportedBatch?> TryExportAsync(SelectedBatch batch, CancellationToken cancellationToken)
    {
        await using var connection = await server.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        await connection.ExecuteAsync(
            $"SET TRANSACTION READ ONLY; {TransactionSettings.Export} {ExportTimeouts.Sql(run.Batch, batch.Sessions)} "
                + $"{ExportStatements.LockTables(run.Source.Map, "ACCESS SHARE")}",
            cancellationToken
        );
        var exportedAt = await server.TakeSnapshotAsync(connection, cancellationToken);
        if (!await _tables.IsOfNowAsync(connection, cancellationToken))
            return null;

        var statements = new ExportStatements(run, Shape, _parts ? PartStatements.Chosen(run.Source.Map) : null);
        var sessions = stored ? [.. batch.Sessions] : await StillEligibleAsync(connection, batch, cancellationToken);
        var dropped = batch
            .Sessions.ExceptBy(sessions.Select(s => s.Key), s => s.Key, StringComparer.Ordinal)
            .Select(s => new DroppedSession(s.Key, DropReason.NoLongerEligible, Failed: false))
            .ToList();
        // No restore would bring back an erased session that is here again. A new one under an old key is another.
        var buried = sessions.Where(IsErased).Select(s => s.Key).ToHashSet(StringComparer.Ordinal);
        dropped.AddRange(buried.Select(k => new DroppedSession(k, DropReason.Erased, Failed: true)));
        sessions.RemoveAll(s => buried.Contains(s.Key));
        var needed = await ReferencedAsync(connection, statements, [.. sessions.Select(s => s.Key)], cancellationToken);
        dropped.AddRange(needed.Select(k => new DroppedSession(k, DropReason.Referenced, Failed: false)));
        sessions.RemoveAll(s => needed.Contains(s.Key));
        var chosen = _parts ? await ChooseAsync(connection, sessions, dropped, cancellationToken) : null;
        if (sessions.Count == 0)
            return ExportedBatch.From([], dropped, Shape, exportedAt, []);

        if (sessions.Count == 1 && !stored)
            await connection.ExecuteAsync(
                ExportTimeouts.Sql(run.Batch, await SessionSizes.ReadAsync(connection, Now, new(Now), sessions, cancellationToken)),
                cancellationToken
            );
        var fill = new BatchFill(sessions.Count, sessions.Count == 1 || stored ? null : run.Batch);
        List<TableRows> tables = [.. _tables.InOrderOfDocument.Select(t => new TableRows(t, sessions.Count, Time(t)))];
        await using var compressor = new DocumentCompressor(level, Libdeflate.Installed);
        var assembler = new DocumentAssembler(sessions, new DocumentFields(run, Shape, exportedAt, _parts), tables, compressor, fill);
        await new SnapshotCopy(connection, statements, sessions, run.Source.TimeZone, fill, run.Batch.Bytes).ReadAsync(
            assembler,
            tables,
            cancellationToken
        );
        // Sessions that were to go with those which stay now for another batch.
        var parted =
            fill.End == sessions.Count
                ? []
                : await ReferencedAsync(connection, statements, [.. sessions.Take(fill.End).Select(s => s.Key)], cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        await server.ConfirmAsync(connection, cancellationToken);

        await assembler.CompleteAsync(cancellationToken);
        var documents = await compressor.CompleteAsync();
        List<ExportedSession> exported = [];
        for (var i = 0; i < fill.End; i++)
        {
            var session = tables.Aggregate(sessions[i], (s, t) => t.WithTimes(s, i)) with { Rows = fill[i].Rows, Bytes = fill[i].Bytes };
            if (!documents.TryGetValue(i, out var document))
                dropped.Add(new(session.Key, DropReason.Gone, Failed: false));
            else
                exported.Add(
                    new(session, document, tables.ToDictionary(t => t.Table.Name, t => t.FingerprintOf(i)))
                    {
                        DeletesRow = run.Source.Map.Session.HasRow && !_parts,
                        Versions = chosen?[session.Key],
                    }
                );
        }
        foreach (var session in exported.Where(s => parted.Contains(s.Key)))
        {
            await session.Document.Content.DisposeAsync();
            dropped.Add(new(session.Key, DropReason.Referenced, Failed: false));
        }
        exported.RemoveAll(s => parted.Contains(s.Key));
        var left = sessions
            .Skip(fill.End)
            .Select((s, i) => i > 0 ? s : s with { Rows = fill[fill.End].Rows, Bytes = fill[fill.End].Bytes });
        return ExportedBatch.From(exported, dropped, Shape, exportedAt, [.. left]);
    }

    /// <summary>By key, the versions of the messages to export; sessions of which nothing can go are dropped.</summary>
    private async Task<IReadOnlyDictionary<string, IReadOnlyList<long>>> ChooseAsync(
        NpgsqlConnection connection,
        List<SelectedSession> sessions,
        List<DroppedSession> dropped,
        CancellationToken cancellationToken
    )
    {
        if (sessions.Count == 0)
            return new Dictionary<string, IReadOnlyList<long>>();
        var versions = await new PartChoice(connection, run, Shape).ReadAsync(sessions, cancellationToken);
        var chosen = sessions.Zip(versions).ToDictionary(c => c.First.Key, c => c.Second, StringComparer.Ordinal);
        dropped.AddRange(
            sessions.Where(s => chosen[s.Key].Count == 0).Select(s => new DroppedSession(s.Key, DropReason.NoMessages, Failed: false))
        );
        sessions.RemoveAll(s => chosen[s.Key].Count == 0);
        return chosen;
    }

    /// <summary>
    /// Those of the batch that the policy still takes, with what their rows say in this snapshot, of which the document is made. Erasures
    /// and holds find an archive by what the ledger has of it: by the user of an older moment they would miss it.
    /// </summary>
    private async Task<List<SelectedSession>> StillEligibleAsync(
        NpgsqlConnection connection,
        SelectedBatch batch,
        CancellationToken cancellationToken
    )
    {
        var parameters = new SqlParameters();
        var sql = new SelectionStatements(Now).StillEligibleFacts(parameters, batch.Sessions.Select(s => s.Key));
        var rows = await connection.QueryAsync(sql, SelectedSession.Read, cancellationToken, parameters.ToArray());
        var now = rows.ToDictionary(s => s.Key, StringComparer.Ordinal);
        return
        [
            .. batch
                .Sessions.Where(s => now.ContainsKey(s.Key))
                .Select(s => now[s.Key] with { Generation = s.Generation, Rows = s.Rows, Messages = s.Messages, Bytes = s.Bytes }),
        ];
    }

    private bool IsErased(SelectedSession session) => erased?.Covers(session.Key, session.User, session.Began, run.Cutoffs.Now) == true;

    /// <summary>Sessions that the server would not let go; none where nothing is to go now.</summary>
    private Task<HashSet<string>> ReferencedAsync(
        NpgsqlConnection connection,
        ExportStatements statements,
        List<string> sessions,
        CancellationToken cancellationToken
    ) =>
        ReferencedSessions.FindAsync(
            connection,
            toDelete && !_parts && (!run.Policy.RowsStay || stored) ? statements.Referenced : null,
            sessions,
            cancellationToken
        );
}
