using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Policies;

/// <summary>
/// Messages by the versions of their rows: what was due when a part was exported, and exactly that. The export, the locks and the delete
/// of the part ask it. A message that came or was changed meanwhile is not among them, whatever the policy says of it now.
/// </summary>
/// <param name="map">The source's.</param>
/// <param name="versions">SQL of an array of <see cref="RowVersion.Hash"/>.</param>
internal sealed class ChosenMessages(SourceMap map, Func<SqlParameters, string> versions) : RowChoice
{
    /// <inheritdoc/>
    public override SourceMap Map => map;

    /// <inheritdoc/>
    public override string? Condition(ChildTable child, SqlParameters parameters) =>
        MessageRows.Alias(map, child) is { } alias ? Among(RowVersion.Hash(alias), versions(parameters)) : null;

    /// <summary>Nothing more: the sessions were judged when their messages were chosen.</summary>
    public override IEnumerable<Condition> OfSession(SqlParameters parameters) => [];

    /// <summary>
    /// Whether a version is one of these. IS TRUE keeps the planner from making a join of it: of a session that is longer than the
    /// statistics say, every row would be compared with every version.
    /// </summary>
    public static string Among(string version, string versions) => $"({version} IN (SELECT v.h FROM unnest({versions}) AS v (h))) IS TRUE";
}
