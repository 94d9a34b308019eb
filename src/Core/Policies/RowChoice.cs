using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Policies;

/// <summary>
/// Which rows of sessions that stay are taken: with them goes everything below them, which must not be left without its parent.
/// </summary>
internal abstract class RowChoice
{
    /// <summary>The rows that a policy takes of its sessions, or null where it takes sessions whole.</summary>
    public static RowChoice? Of(SourceSettings source, SourceShape shape, Policy policy, Cutoffs cutoffs) =>
        policy switch
        {
            { Scope: PurgeScope.Sessions } => null,
            { Action: PolicyAction.Archive } => new DueMessages(source, shape, policy, cutoffs),
            _ => new SoftDeletedRows(source, shape, policy, cutoffs),
        };

    /// <summary>The tables that <see cref="Condition"/> is over: the source's own, or with what it needs to know besides.</summary>
    public abstract SourceMap Map { get; }

    /// <summary>Over the aliases of <see cref="SessionPath"/>; null when no row of this table can be taken.</summary>
    public abstract string? Condition(ChildTable child, SqlParameters parameters);

    /// <summary>What a session (alias <c>s</c>) must meet to have such rows.</summary>
    public abstract IEnumerable<Condition> OfSession(SqlParameters parameters);

    /// <summary>
    /// For how long a session (alias <c>s</c>) has had such rows, as an interval: since the oldest of them was due. Null where no age
    /// chooses them.
    /// </summary>
    public virtual string? Late(SqlParameters parameters) => null;
}
