namespace Archiver.Core.Postgres;

/// <summary>Row versions that the transaction wrote itself.</summary>
internal static class OwnRows
{
    /// <summary>
    /// SQL: whether a row is of this transaction, whichever of its savepoints wrote it. Such a version is still in progress and seen all
    /// the same; its age counts back from the transaction's own number.
    /// </summary>
    /// <param name="alias">Of the table.</param>
    public static string Are(string alias) =>
        $"(CASE WHEN age({alias}.xmin) <= 0 THEN pg_xact_status((pg_current_xact_id()::text::numeric - age({alias}.xmin))::text::xid8) = "
        + "'in progress' ELSE false END)";
}
