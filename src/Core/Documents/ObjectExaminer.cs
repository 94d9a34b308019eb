using System.Security.Cryptography;
using System.Text;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Spool;
using Archiver.Core.Storage;

namespace Archiver.Core.Documents;

/// <summary>
/// Reads an object that the ledger may know nothing of, and finds the documents in it; bundles are taken apart without any manifest.
/// Anybody who can write to the bucket may have written it: it must not take the memory that the process has.
/// </summary>
internal sealed class ObjectExaminer(IArchiveReader store, SourceSettings source)
{
    /// <summary>
    /// A row may have a quarter of the memory: reading it takes up to three times its size. What archived a longer one had more memory.
    /// </summary>
    private readonly int _most = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes is > 0 and var memory
        ? (int)Math.Clamp(memory / 4, LargeRowGate.Bytes, Array.MaxLength)
        : Array.MaxLength;

    private readonly IReadOnlyCollection<string> _sessionColumns = Columns(source.Map.Session).ToHashSet(StringComparer.Ordinal);

    /// <summary>
    /// The newest version of a key that is an archive, or not given today; else what is wrong with the newest. Null when all are gone.
    /// </summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<FoundObject?> ExamineAsync(ListedVersions listed, CancellationToken cancellationToken)
    {
        FoundObject? unreadable = null;
        foreach (var name in listed.Objects)
        {
            if (await ExamineAsync(name, cancellationToken) is not { } found)
                continue;
            if (found.Problem is null || !found.IsGiven)
                return found;
            unreadable ??= found;
        }
        return unreadable;
    }

    /// <summary>Null when it is gone. One that the store does not give although it gives others has that for its problem.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<FoundObject?> ExamineAsync(ObjectName name, CancellationToken cancellationToken)
    {
        ObjectHead? head = null;
        try
        {
            head = await store.HeadAsync(name, cancellationToken);
            return head is null ? null : await ExamineAsync(name, head, cancellationToken);
        }
        catch (StorageException exception)
        {
            if (await ObjectFailure.DescribeAsync(store, source.Prefix, exception, cancellationToken) is not { } problem)
                throw;
            return FoundObject.NotGiven(name, head?.Metadata, problem);
        }
    }

    private async Task<FoundObject?> ExamineAsync(ObjectName name, ObjectHead head, CancellationToken cancellationToken)
    {
        await using var body = await store.OpenAsync(head.Name, cancellationToken);
        if (body is null)
            return null;
        await using var spool = new SpoolingStream();
        await body.CopyToAsync(spool, cancellationToken);
        using var content = spool.Complete();
        var found = new FoundObject(name.Key, head.Name.VersionId, head.Metadata, content.Length, content.Sha256.ToArray(), [], null);
        try
        {
            return found with { Documents = await DocumentsAsync(content, found.IsBundle, cancellationToken) };
        }
        catch (Exception exception) when (exception is RefusedSessionException || DocumentDamage.Is(exception))
        {
            return found with
            {
                Problem = exception is RefusedSessionException ? exception.Message : DocumentDamage.Refusal(exception).Message,
            };
        }
    }

    private async Task<IReadOnlyList<FoundDocument>> DocumentsAsync(
        SpooledContent content,
        bool bundle,
        CancellationToken cancellationToken
    )
    {
        if (!bundle)
            return [await DocumentAsync(content, 0, content.Length, cancellationToken)];
        List<FoundDocument> documents = [];
        await foreach (var (start, end) in GzipMembers.SplitAsync(content, IsDocumentAsync, cancellationToken))
            documents.Add(await DocumentAsync(content, start, end - start, cancellationToken));
        return documents;
    }

    private async Task<bool> IsDocumentAsync(SpooledContent content, long start, long end, CancellationToken cancellationToken)
    {
        try
        {
            await DocumentAsync(content, start, end - start, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is RefusedSessionException || DocumentDamage.Is(exception))
        {
            return false;
        }
    }

    /// <summary>One document of an object, by its place; null when the object is gone or not given, or there is no document.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<FoundDocument?> ReadAsync(ObjectName name, long offset, long length, CancellationToken cancellationToken)
    {
        try
        {
            await using var member = await store.OpenRangeAsync(name, offset, length, cancellationToken);
            return member is null ? null : await DocumentAsync(member, offset, length, cancellationToken);
        }
        catch (Exception exception) when (exception is RefusedSessionException || DocumentDamage.Is(exception))
        {
            return null;
        }
        catch (StorageException exception)
        {
            if (await ObjectFailure.DescribeAsync(store, source.Prefix, exception, cancellationToken) is null)
                throw;
            return null;
        }
    }

    private async Task<FoundDocument> DocumentAsync(SpooledContent content, long offset, long length, CancellationToken cancellationToken)
    {
        await using var bytes = content.OpenRead();
        bytes.Position = offset;
        await using var member = new SliceStream(bytes, length);
        return await DocumentAsync(member, offset, length, cancellationToken);
    }

    private async Task<FoundDocument> DocumentAsync(Stream member, long offset, long length, CancellationToken cancellationToken)
    {
        await using var gzip = new GzipMemberStream(member);
        await using var hashing = new HashingStream(gzip);
        using var document = await DocumentReader.OpenAsync(hashing, _most, cancellationToken);
        using var content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add()
        {
            content.AppendData(Encoding.UTF8.GetBytes($"{document.Table}\0"));
            content.AppendData(document.Row);
            content.AppendData("\n"u8);
        }
        await document.ReadAsync(cancellationToken);
        Add();
        Dictionary<string, string?> session = new(StringComparer.Ordinal);
        foreach (var column in _sessionColumns)
            session[column] = RowColumn.Find(document.Row, column);
        string? Text(string? column) => column is null ? null : session[column];
        var times = new RowTimes(source.Map);
        var (rows, messages) = (1L, 0L);
        while (await document.ReadAsync(cancellationToken))
        {
            rows++;
            messages += document.Table == SourceMap.MessagesName ? 1 : 0;
            times.Add(document.Table, document.Row);
            Add();
        }
        return new()
        {
            SessionId = SessionIdText.Of([
                .. source.Map.Session.Key.Select(k =>
                    Text(k) is { } key
                        ? document.Header.KeyText(k, key)
                        : throw new InvalidDataException($"The document's session has no '{k}'.")
                ),
            ]),
            ExternalId = Text(source.Map.Session.ExternalId),
            Generation = document.Header.Generation,
            User = Text(source.Map.Session.User),
            Created = source.Map.Session.Created is { } created ? TimeValue.Of(created, Text) : null,
            Activity = !source.Map.Session.HasRow
                ? times.Extremes
                : [.. source.Map.Session.Activity.Select(a => TimeValue.Of(a, Text)).OfType<string>()],
            Times = times.Extremes,
            Messages = messages,
            Rows = rows,
            Offset = offset,
            Length = length,
            JsonLength = hashing.BytesRead,
            JsonSha256 = hashing.GetHash(),
            RowsSha256 = content.GetHashAndReset(),
            Header = document.Header,
        };
    }

    private static IEnumerable<string> Columns(SessionTable session) =>
        new[] { session.ExternalId, session.User }
            .OfType<string>()
            .Concat(session.Key)
            .Concat(session.Activity.Append(session.Created).OfType<TimeColumn>().SelectMany(t => t.Columns));
}
