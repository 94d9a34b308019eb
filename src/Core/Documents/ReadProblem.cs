namespace Archiver.Core.Documents;

/// <summary>What is wrong with an archive that was read.</summary>
public enum ReadProblem
{
    /// <summary>Its object is not in the store, in no version.</summary>
    Missing,

    /// <summary>
    /// A delete marker hides its object, or other versions of its key are left: not lost, and not to be read as the ledger names it.
    /// </summary>
    Hidden,

    /// <summary>It can be read, and is not what was archived.</summary>
    Changed,

    /// <summary>It cannot be read: damaged, truncated, or of a format that this program does not know.</summary>
    Unreadable,

    /// <summary>Its object is in a cold storage class and must be thawed first: not damaged.</summary>
    NeedsThawing,

    /// <summary>
    /// The store refuses to give its object, and gives others: a key of its encryption that is disabled, a permission of its own.
    /// </summary>
    Denied,

    /// <summary>
    /// Reading its object fails each time, and the store gives others: an error of the server, a body that always breaks off.
    /// </summary>
    Failing,

    /// <summary>Nothing is wrong with it, but it has no place in the tables of today.</summary>
    Refused,
}
