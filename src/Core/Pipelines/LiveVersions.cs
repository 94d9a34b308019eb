using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Pipelines;

/// <summary>
/// The policy by which <c>restore --on-conflict replace</c> archives the versions that are in the way: exactly these sessions, whatever
/// their age. Everything else is as in any other run: verified before the delete, holds respected.
/// </summary>
internal static class LiveVersions
{
    /// <summary>Sessions in one policy: its condition is one literal.</summary>
    public const int MaxSessions = 1000;

    /// <summary>
    /// With a slash, so that no configured policy can have it and be taken for this one, with its stored sessions and its pauses.
    /// </summary>
    public const string Name = "restore/replace";

    public static Policy Policy(SourceSettings source, SourceShape shape, IReadOnlyList<string> keys) =>
        new()
        {
            Source = source.Name,
            Name = Name,
            Action = PolicyAction.Archive,
            Where = $"{shape.KeyOf(source.Map, "s")}::text = ANY ({PgLiteral.Quote(PgArray.Literal(keys))}::text[])",
            RestoreGrace = TimeSpan.Zero,
            Replaces = keys,
        };
}
