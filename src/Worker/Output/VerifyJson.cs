using Archiver.Core.Documents;
using Archiver.Core.Proofs;

namespace Archiver.Worker.Output;

/// <summary>A source's verification as <c>verify --json</c> prints it.</summary>
internal sealed record VerifyJson(
    string Source,
    long Checked,
    long Right,
    long Drilled,
    long DrilledAside,
    long JsonBytes,
    IReadOnlyList<VerifyProblem> Problems,
    TimeSpan Elapsed
)
{
    public static VerifyJson Of(string source, VerifyReport report) =>
        new(source, report.Checked, report.Right, report.Drilled, report.DrilledAside, report.JsonBytes, report.Problems, report.Elapsed);

    /// <summary>The word for a problem, the same as in JSON.</summary>
    public static string Word(ReadProblem problem) => Core.Proofs.DamageRecords.Word(problem);
}
