namespace Archiver.Core.Ledger;

/// <summary>
/// Whether something was ever stored in an object's folder. A store of folders makes a folder at the first put and never removes it: where
/// the ledger knows of one, a folder that is missing is away, and nothing in it is gone.
/// </summary>
internal static class KnownFolder
{
    /// <summary>SQL that is true where it was; both are expressions, the key's of collation C.</summary>
    public static string Sql(string location, string key) =>
        $"""
            EXISTS (SELECT FROM archiver.objects AS f
                    WHERE f.location = {location} AND f.key >= regexp_replace({key}, '[^/]+$', '')
                      AND f.key < regexp_replace({key}, '/[^/]+$', '0') AND (f.state = 'stored' OR f.stored_at IS NOT NULL))
            """;
}
