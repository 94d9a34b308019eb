using System.Text.Json;

namespace Archiver.Core.Documents;

/// <summary>Tells damage of a document from every other failure of reading it.</summary>
internal static class DocumentDamage
{
    /// <summary>Whether the bytes are no document, whatever is tried again.</summary>
    public static bool Is(Exception exception) => exception is InvalidDataException or JsonException;

    // Messages of the JSON parser quote characters of the document; those of ours do not.
    /// <summary>The same in words for a person.</summary>
    public static RefusedSessionException Refusal(Exception exception) =>
        new(
            exception is InvalidDataException
                ? $"the document cannot be read: {exception.Message}"
                : "the document is damaged: it is not JSON",
            ReadProblem.Unreadable
        );
}
