using Archiver.Core.Export;

namespace Archiver.Core.Upload;

/// <summary>How a batch's documents become objects, and what the objects are called.</summary>
internal interface IObjectLayout
{
    /// <summary><c>session</c> or <c>bundle</c>, as the ledger has it.</summary>
    string Name { get; }

    /// <summary>The objects of a batch; every session is in exactly one.</summary>
    IEnumerable<PlannedObject> Plan(ExportedBatch batch);

    /// <summary>A key for each upload that the ledger does not know yet.</summary>
    Task<IReadOnlyList<string>> ChooseKeysAsync(IReadOnlyList<PlannedUpload> uploads, CancellationToken cancellationToken);
}

/// <summary>An object on its way.</summary>
/// <param name="Planned">Its bytes and members.</param>
/// <param name="Attempt">Random nonce of this put, 32 hex digits.</param>
/// <param name="RefusesOverwrite">
/// Whether the store was proven to refuse a put onto a key that exists; else the key carries the nonce.
/// </param>
internal sealed record PlannedUpload(PlannedObject Planned, string Attempt, bool RefusesOverwrite)
{
    /// <summary>The nonce as part of a key.</summary>
    public string? Nonce => RefusesOverwrite ? null : Attempt[..16];
}
