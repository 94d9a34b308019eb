using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary>
/// Why nothing was found: a ledger that is not there, an id that no session can have and a session that is not archived are three answers.
/// </summary>
internal sealed class Absence(PolicyChoice choice, ConnectionCatalog connections, SourceErrors errors, Terminal terminal)
{
    /// <summary>Says on stderr why a list is empty, so that nobody takes a ledger that is not there for one with nothing in it.</summary>
    /// <param name="sources">Those that were asked.</param>
    /// <param name="otherwise">What is said when they all have a ledger.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task SayWhyEmptyAsync(IEnumerable<SourceSettings> sources, string otherwise, CancellationToken cancellationToken)
    {
        var missing = (await WithoutAsync(sources, cancellationToken)).ToList();
        missing.ForEach(terminal.Note);
        if (missing.Count == 0)
            terminal.Note(otherwise);
    }

    /// <summary>A sentence for each of these sources that has no ledger.</summary>
    public async Task<IReadOnlyList<string>> WithoutAsync(IEnumerable<SourceSettings> sources, CancellationToken cancellationToken)
    {
        List<string> missing = [];
        foreach (var source in sources)
        {
            var exists = await errors.ExplainAsync(source, async () =>
            {
                await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
                return await Migrator.ExistsAsync(connection, cancellationToken);
            });
            if (!exists)
                missing.Add(
                    $"The database of source '{source.Name}' has no ledger yet, so nothing of it is archived. The first run makes "
                        + "one, or: archiver migrate"
                );
        }
        return missing;
    }

    /// <summary>Why no source knows a session: there is no ledger, it is no id that a session can have, or simply not there.</summary>
    /// <param name="source">Name of the one that was asked, or null for all.</param>
    /// <param name="id">The id as it was given.</param>
    /// <param name="otherwise">What is said when it is an id like any other.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<ArchiverException> AbsentAsync(string? source, string id, string otherwise, CancellationToken cancellationToken)
    {
        var sources = choice.Sources(source);
        if (await WithoutAsync(sources, cancellationToken) is { Count: > 0 } missing && missing.Count == sources.Count)
            return new(FailureKind.Failed, missing[0]);
        List<ArchiverException> wrong = [];
        var hints = "";
        foreach (var asked in sources)
        {
            try
            {
                hints += await errors.ExplainAsync(asked, async () =>
                {
                    await using var connection = await connections[asked.Name].OpenAsync(cancellationToken);
                    var given = new GivenIds(connection, connections[asked.Name].Map);
                    await given.RequireSessionAsync(asked.Name, id, cancellationToken);
                    return await given.RowHintAsync(asked.Name, id, cancellationToken);
                });
            }
            catch (ArchiverException exception) when (exception.Kind == FailureKind.Configuration)
            {
                wrong.Add(exception);
            }
        }
        return wrong.Count == sources.Count ? wrong[0] : new(FailureKind.Failed, $"{otherwise}{hints} What the ledger has: archiver list");
    }
}
