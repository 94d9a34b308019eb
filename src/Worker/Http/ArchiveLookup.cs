using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Worker.Access;

namespace Archiver.Worker.Http;

/// <summary>Finds the one archive that a request means.</summary>
internal sealed class ArchiveLookup(PolicyChoice choice, ArchiveLocator locator, SourceErrors errors)
{
    /// <summary>Null when no ledger has it.</summary>
    /// <exception cref="ArchiverException">There is no such source, or the id is in several of them.</exception>
    public async Task<(SourceSettings Source, LocatedArchive Archive)?> FindAsync(
        string? source,
        string id,
        int? generation,
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
                $"The session is in several sources; choose one with ?source=: {string.Join(", ", found.Select(f => f.Item1.Name))}."
            ),
        };
    }
}
