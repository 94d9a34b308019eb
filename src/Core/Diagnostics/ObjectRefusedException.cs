namespace Archiver.Core.Diagnostics;

/// <summary>
/// The store refused to take this object, for its size, its name or what it is. It may well take others. Only a put throws it, and nothing
/// was stored.
/// </summary>
public sealed class ObjectRefusedException(string code, string message, Exception? inner = null)
    : StorageException(StorageFailure.Permanent, message, inner)
{
    /// <summary>In a word or two: the status of the answer, such as 413.</summary>
    public string Code { get; } = code;
}
