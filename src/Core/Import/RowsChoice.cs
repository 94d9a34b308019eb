namespace Archiver.Core.Import;

/// <summary>Rows of sessions in their tables.</summary>
internal enum RowsChoice
{
    All,

    /// <summary>Those that this transaction wrote.</summary>
    Transaction,

    /// <summary>Those that the documents in the staging tables have too, by their keys.</summary>
    Documents,
}
