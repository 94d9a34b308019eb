using Archiver.Core.Diagnostics;
using Archiver.Core.Import;
using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Restore;

/// <summary>What a person said is to be restored: checked, and written as the source's columns write it.</summary>
internal sealed class RestoreChoice(SourceConnections connections, SourceSettings source)
{
    /// <summary>The source, if what is asked for is clear and possible there.</summary>
    /// <exception cref="ArchiverException">It is not; kind Configuration.</exception>
    public static SourceSettings Check(ArchiverSettings settings, RestoreOptions options)
    {
        var source = settings.Find(options.Source);
        var byFilter = options.User is not null || options.Run is not null || options.From is not null || options.To is not null;
        if (new[] { options.Ids.Count > 0, options.ObjectKeys.Count > 0, byFilter }.Count(given => given) != 1)
            throw new ArchiverException(
                FailureKind.Configuration,
                "Say what to restore: session ids, or object keys, or a user, a run or dates; one of the three."
            );
        if (options.OnConflict == ConflictMode.Replace && !options.IntoSource)
            throw new ArchiverException(
                FailureKind.Configuration,
                "--on-conflict replace archives the live version first, which is possible in the source itself only."
            );
        if (options.Reactivate && !source.Map.Session.HasRow)
            throw new ArchiverException(
                FailureKind.Configuration,
                "--reactivate sets columns of a session's row, and the sessions of "
                    + $"source '{source.Name}' have none. Restore without it; RestoreGrace keeps them."
            );
        if (options.Reactivate && source.Map.Session.Activity.All(a => !TimeAssignment.CanBeSet(a)))
            throw new ArchiverException(
                FailureKind.Configuration,
                $"--reactivate cannot make a session of source '{source.Name}' one that "
                    + "was used now: its activity is the time inside an id. Restore without it; RestoreGrace keeps it."
            );
        return source;
    }

    /// <summary>The user as the source's column writes it; refuses where no id is one that a session can have.</summary>
    public async Task<RestoreOptions> ResolveAsync(RestoreOptions options, CancellationToken cancellationToken)
    {
        if (options.Ids.Count > 0)
            await RequireAnySessionAsync(options.Ids, cancellationToken);
        // Where no users are mapped any more, the ledger may still know those of older archives.
        if (options.User is not { } user || source.Map.Session.User is null)
            return options;
        await using var connection = await connections.OpenAsync(cancellationToken);
        return options with { User = await new GivenIds(connection, source.Map).UserAsync(source.Name, user, cancellationToken) };
    }

    // A list of ids may have a wrong one in it, which is reported as not restored; ids that are all wrong are wrong usage.
    private async Task RequireAnySessionAsync(IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        var given = new GivenIds(connection, source.Map);
        ArchiverException? first = null;
        foreach (var id in ids)
        {
            try
            {
                await given.RequireSessionAsync(source.Name, id, cancellationToken);
                return;
            }
            catch (ArchiverException wrong)
            {
                first ??= wrong;
            }
        }
        throw first!;
    }

    /// <summary>Why nothing was found, and what to do.</summary>
    // A restore that found nothing to do must not look like one that did it: the user may be misspelled, or the ledger lost.
    public async Task<string> NothingAsync(CancellationToken cancellationToken) =>
        await new CandidateFinder(connections).HasArchivesAsync(source.Name, cancellationToken)
            ? $"No archive of source '{source.Name}' matches. Nothing was restored. See: archiver list"
            : $"The ledger of source '{source.Name}' knows no archive, so nobody can tell which are of a user, a run or a date. Nothing "
                + "was restored. If the bucket has archives: archiver ledger rebuild; or name session ids.";
}
