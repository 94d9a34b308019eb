using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>SQL that names one physical row version, computed by the server on both sides (docs/protocol.md rule 2).</summary>
internal static class RowVersion
{
    /// <summary>Of the session itself; 0 where it has no row of its own, only those of its children.</summary>
    public static string OfSession(SourceMap map, string alias) => map.Session.HasRow ? Hash(alias) : "0::bigint";

    /// <summary>
    /// 64-bit hash of (tableoid, ctid, xmin). All three are needed: xmin alone was equal for different rows after late commits of low
    /// transaction ids, and an attached partition brings rows with any xmin and ctid.
    /// </summary>
    public static string Hash(string alias) =>
        $"hashtidextended({alias}.ctid, ({alias}.tableoid::bigint << 32) # {alias}.xmin::text::bigint)";
}
