using Archiver.Core.Sources;

namespace Archiver.Core.Documents;

/// <summary>What a document says about itself before its rows (docs/format.md).</summary>
/// <param name="ArchivedAt">The database's clock at the export, ISO 8601.</param>
/// <param name="Source">Where the rows came from.</param>
/// <param name="Generation">1 for the first archive of the session.</param>
/// <param name="Tables">Every mapped table at that time, the session's first.</param>
/// <param name="Format">Its format.</param>
/// <param name="Signature">The raw JSON of the tables: documents with the same one can be imported together.</param>
internal sealed record DocumentHeader(
    string ArchivedAt,
    DocumentSource Source,
    int Generation,
    IReadOnlyList<DocumentTable> Tables,
    string Format,
    string Signature
)
{
    /// <summary>Whether it holds some messages of a session that lived on, and not the session.</summary>
    public bool IsPart => Format == DocumentReader.PartFormat;

    /// <summary>
    /// A session key as the ledger has it: a char(n) column's value stands in the document as long as the column is, and blanks at its end
    /// are none; nor are zeros at the end of a numeric.
    /// </summary>
    /// <param name="column">The key's column.</param>
    /// <param name="text">Its value.</param>
    public string KeyText(string column, string text) =>
        Tables[0].Columns.FirstOrDefault(c => c.Name == column)?.Type.Split('(')[0] switch
        {
            "character" => text.TrimEnd(' '),
            "numeric" => SessionIdText.Number(text),
            _ => text,
        };
}

/// <summary>The source of a document, as the archiver saw it.</summary>
internal sealed record DocumentSource(string Name, string Database, string SystemId, string Server, string Policy, string Run);

/// <summary>A table of a document.</summary>
/// <param name="Name">Its name in the map: <c>session</c>, <c>messages</c>, ...</param>
/// <param name="Table">Schema and table, for people; a restore goes by the map of today.</param>
/// <param name="Columns">In the table's order.</param>
internal sealed record DocumentTable(string Name, string Table, IReadOnlyList<DocumentColumn> Columns);

/// <summary>A column of a document.</summary>
/// <param name="Name">Exact name.</param>
/// <param name="Type">As <c>format_type</c> wrote it under <c>search_path = pg_catalog</c>.</param>
internal sealed record DocumentColumn(string Name, string Type);
