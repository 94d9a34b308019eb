using Archiver.Core.Selection;

namespace Archiver.Core.Purge;

/// <summary>What a run does to a batch without storing anything.</summary>
internal interface IBatchAction
{
    /// <summary>Changes what is still eligible; everything else of the batch stays as it is.</summary>
    /// <exception cref="Diagnostics.ArchiverException">
    /// The lease is lost: nothing of the batch was changed, and nothing more may be.
    /// </exception>
    /// <exception cref="Npgsql.NpgsqlException">The server failed; nothing of the batch was changed.</exception>
    Task<ChangedBatch> ApplyAsync(SelectedBatch batch, CancellationToken cancellationToken);
}
