using System.Globalization;
using Archiver.Core.Bucket;
using Archiver.Core.Documents;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Spool;

namespace Archiver.Core.Import;

/// <summary>
/// Reads a document to its end, makes COPY text of its rows, and checks it: format, session, length, hash. Only then is it a
/// <see cref="StagedSession"/>.
/// </summary>
internal sealed class SessionStager(ImportPlans plans, string source, TombstoneSet erased)
{
    /// <summary>
    /// Bytes of a staged session in memory: many wait for their import at the same time, and what is larger lies in a file.
    /// </summary>
    private const int MemoryLimit = 1 << 20;

    /// <param name="candidate">What is expected.</param>
    /// <param name="json">The decompressed document.</param>
    /// <exception cref="RefusedSessionException">
    /// The document is damaged, foreign, newer, or has no place in the tables of today.
    /// </exception>
    public async Task<StagedSession> StageAsync(RestoreCandidate candidate, Stream json, CancellationToken cancellationToken)
    {
        await using var hashing = new HashingStream(json);
        using var document = await OpenAsync(hashing, cancellationToken);
        // What the ledger calls an archive of the source is one, under whatever name it was written.
        if (candidate.Archive is null && !Names.Same(document.Header.Source.Name, source))
            throw new RefusedSessionException(
                $"the document is of source '{DocumentReader.Shorten(document.Header.Source.Name)}', not of '{source}'",
                ReadProblem.Changed
            );
        var plan = await plans.GetAsync(document.Header, cancellationToken);
        await using var spool = new SpoolingStream(MemoryLimit);
        var (key, user, tables) = await ReadRowsAsync(document, plan, spool, cancellationToken);
        if (candidate.SessionId is { } expected && key != expected)
            throw new RefusedSessionException("the document is of another session", ReadProblem.Changed);
        RequireArchived(candidate, hashing);
        RequireNotErased(candidate, key, user, document.Header);
        return new(candidate, key, document.Header, plan, spool.Complete(), tables, hashing.BytesRead);
    }

    /// <summary>The document was read to its end: its bytes must be those that the ledger knows.</summary>
    internal static void RequireArchived(RestoreCandidate candidate, HashingStream read)
    {
        if (candidate.Archive is { } archive && !read.Was(archive.JsonLength, archive.JsonSha256))
            throw new RefusedSessionException("the object is damaged: its bytes are not what was archived", ReadProblem.Changed);
    }

    // What the ledger knows is exact; of a document alone it is not known when its session began, and in doubt it does not come back.
    private void RequireNotErased(RestoreCandidate candidate, string key, string? user, DocumentHeader header)
    {
        DateTimeOffset? written = DateTimeOffset.TryParse(
            header.ArchivedAt,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var at
        )
            ? at
            : null;
        if (erased.Covers(key, candidate.Archive?.User ?? user, candidate.Archive?.Created, candidate.Archive?.CopiedAt ?? written))
            throw new RefusedSessionException(TombstoneReader.Refusal);
    }

    internal static async Task<DocumentReader> OpenAsync(Stream json, CancellationToken cancellationToken)
    {
        try
        {
            return await DocumentReader.OpenAsync(json, cancellationToken);
        }
        catch (Exception exception) when (DocumentDamage.Is(exception))
        {
            throw DocumentDamage.Refusal(exception);
        }
    }

    private async Task<(string Key, string? User, IReadOnlyList<StagedTable> Tables)> ReadRowsAsync(
        DocumentReader document,
        ImportPlan plan,
        SpoolingStream spool,
        CancellationToken cancellationToken
    )
    {
        string? key = null,
            user = null;
        List<StagedTable> tables = [];
        RowCopyWriter? writer = null;
        using var line = new RowSink(spool);
        try
        {
            while (await document.ReadAsync(cancellationToken))
            {
                if (tables.Count == 0 || tables[^1].Name != document.Table)
                {
                    writer = new RowCopyWriter(plan[document.Table]);
                    tables.Add(new(document.Table, default, spool.Length, 0));
                }
                writer!.Write(document.Row, line);
                if (document.Table == SourceMap.SessionName)
                {
                    key = SessionIdText.Of([
                        .. plans.SessionKey.Select(k =>
                            document.Header.KeyText(
                                plan[SourceMap.SessionName].Kept.First(c => c.Target!.Name == k).Name,
                                writer.TextOf(k, document.Row)
                            )
                        ),
                    ]);
                    user = plans.User is { } column ? writer.TextOrNull(column, document.Row) : null;
                }
                var digest = line.End(tables[^1].Digest);
                tables[^1] = tables[^1] with { Digest = digest, Length = spool.Length - tables[^1].Offset };
            }
        }
        catch (Exception exception) when (DocumentDamage.Is(exception))
        {
            throw DocumentDamage.Refusal(exception);
        }
        return (key!, user, tables);
    }
}
