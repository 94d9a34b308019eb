namespace Archiver.Core.Ledger;

/// <summary>An object that is about to be uploaded.</summary>
/// <param name="Key">Its key in the store.</param>
/// <param name="Attempt">Nonce of the put.</param>
/// <param name="Layout"><c>session</c> or <c>bundle</c>.</param>
/// <param name="Members">Ids of the sessions in it.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">SHA-256 of the bytes.</param>
internal sealed record PendingObject(string Key, string Attempt, string Layout, string[] Members, long Length, byte[] Sha256);
