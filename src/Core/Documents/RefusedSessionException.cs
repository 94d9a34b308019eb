namespace Archiver.Core.Documents;

/// <summary>Why one session cannot be restored, in words for a person; the others go on. It never holds a value of a row.</summary>
internal sealed class RefusedSessionException(string reason, ReadProblem problem = ReadProblem.Refused) : Exception(reason)
{
    public ReadProblem Problem { get; } = problem;
}
