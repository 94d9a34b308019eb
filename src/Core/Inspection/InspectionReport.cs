using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>What inspection found in a source's database.</summary>
/// <param name="Source">The source by the optional parts that are there, for whatever goes by <paramref name="Shape"/>.</param>
/// <param name="Shape">The mapped tables as they are.</param>
/// <param name="Problems">What forbids a run, each with the statement that fixes it.</param>
/// <param name="Warnings">What a person should know; it forbids nothing.</param>
internal sealed record InspectionReport(
    SourceSettings Source,
    SourceShape Shape,
    IReadOnlyList<string> Problems,
    IReadOnlyList<string> Warnings
)
{
    /// <summary>Statements of those above that make an index, and so change nothing else.</summary>
    public IReadOnlyList<string> Indexes { get; init; } = [];

    /// <summary>With these indexes nothing would forbid a run.</summary>
    public bool LacksIndexesOnly { get; init; }

    /// <summary>The shape, if nothing forbids a run.</summary>
    /// <exception cref="ArchiverException">Refused, with every problem in one message.</exception>
    public SourceShape Require(string source) =>
        Problems.Count == 0
            ? Shape
            : throw new ArchiverException(
                FailureKind.Refused,
                $"Source '{source}' is not fit for the archiver; nothing was changed:{string.Concat(Problems.Select(p => $"\n  - {p}"))}"
            );
}
