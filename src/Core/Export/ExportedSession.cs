using Archiver.Core.Selection;

namespace Archiver.Core.Export;

/// <summary>A session with its document and the versions of the rows in it.</summary>
/// <param name="Session">What was selected.</param>
/// <param name="Document">What will be stored.</param>
/// <param name="Fingerprints">By table name, <c>session</c> first, every mapped table present.</param>
internal sealed record ExportedSession(
    SelectedSession Session,
    SessionDocument Document,
    IReadOnlyDictionary<string, Fingerprint> Fingerprints
)
{
    public string Key => Session.Key;

    /// <summary>Whether its own row goes: it has one, and what is exported is the whole session.</summary>
    public bool DeletesRow { get; init; } = true;

    /// <summary>Of a part, the versions of its messages: these are deleted and no others. Null for a whole session.</summary>
    public IReadOnlyList<long>? Versions { get; init; }

    /// <summary>Rows of the document, the session's own included.</summary>
    public long Rows => Fingerprints.Values.Sum(f => f.Rows);

    /// <summary>Rows in the tables, from which they are deleted.</summary>
    public long TableRows => DeletesRow ? Rows : Rows - 1;
}
