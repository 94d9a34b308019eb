using Archiver.Core.Documents;

namespace Archiver.Core.Proofs;

/// <summary>What to verify. Neither a sample nor all means the default sample.</summary>
/// <param name="Source">Name of the source.</param>
/// <param name="Sample">So many archives, chosen at random; null for all.</param>
/// <param name="RestoreDrill">Of those that are right, rehearse the restore of so many and roll it back.</param>
public sealed record VerifyOptions(string Source, int? Sample = VerifyOptions.DefaultSample, int RestoreDrill = 0)
{
    public const int DefaultSample = 1000;

    /// <summary>Instead of a sample: this part of a walk over all archives. <see cref="Sample"/> is null then.</summary>
    public VerifyRange? Range { get; init; }
}

/// <summary>Archives by their ids in the ledger.</summary>
/// <param name="After">Those above this id,</param>
/// <param name="Through">up to this one,</param>
/// <param name="Also">and these.</param>
/// <param name="Count">How many all of them are, for progress.</param>
public sealed record VerifyRange(long After, long Through, IReadOnlyList<long> Also, long Count);

/// <summary>What verification found. Nothing was changed but the ledger's note of what is damaged.</summary>
public sealed record VerifyReport
{
    /// <summary>Archives read to their end.</summary>
    public required long Checked { get; init; }

    /// <summary>Archives whose bytes, rows and hashes are what was archived.</summary>
    public required long Right { get; init; }

    public required long JsonBytes { get; init; }

    /// <summary>Archives that are not right, each with what is wrong.</summary>
    public required IReadOnlyList<VerifyProblem> Problems { get; init; }

    /// <summary>Sessions whose restore was rehearsed and came back equal.</summary>
    public long Drilled { get; init; }

    /// <summary>
    /// Of those, the ones that went into temporary tables, because they are live or the role may not insert: no trigger or foreign key was
    /// tried.
    /// </summary>
    public long DrilledAside { get; init; }

    public TimeSpan Elapsed { get; init; }

    /// <summary>0 when everything that was read is right.</summary>
    public int ExitCode => Problems.Count == 0 ? 0 : 1;
}

/// <summary>An archive that is not right.</summary>
/// <param name="Detail">For a person; never a value of a row.</param>
public sealed record VerifyProblem(string SessionId, int Generation, string ObjectKey, ReadProblem Problem, string Detail);
