using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Core.Settings;

namespace Archiver.Worker.Access;

/// <summary>Finds the one archive that a command or a request means, in whichever source it is.</summary>
internal sealed class ArchiveLookup(PolicyChoice choice, ArchiveLocator locator, SourceErrors errors)
{
    /// <summary>Null when no ledger has it.</summary>
    /// <param name="source">Name of the source, or null for all.</param>
    /// <param name="id">Session key or external id.</param>
    /// <param name="generation">Which archive of the session; null for the newest.</param>
    /// <param name="option">How the source is named, for the message to whoever has to.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ArchiverException">There is no such source, or the id is in several of them.</exception>
    public async Task<(SourceSettings Source, LocatedArchive Archive)?> FindAsync(
        string? source,
        string id,
        int? generation,
        string option,
        CancellationToken cancellationToken
    )
    {
        List<(SourceSettings, LocatedArchive)> found = [];
        foreach (var candidate in choice.Sources(source))
        {
            if (
                await errors.ExplainAsync(candidate, () => locator.FindAsync(candidate.Name, id, generation, cancellationToken)) is
                { } archive
            )
                found.Add((candidate, archive));
        }
        return found switch
        {
            [] => null,
            [var only] => only,
            _ => throw new ArchiverException(
                FailureKind.Configuration,
                $"The session is in several sources; choose one with {option}: {string.Join(", ", found.Select(f => f.Item1.Name))}."
            ),
        };
    }
}
