using System.Text.Json;
using Archiver.Core.Documents;

namespace Archiver.Core.Reading;

/// <summary>A document as a person reads it: one page of its messages.</summary>
/// <param name="Header">What the document says about itself.</param>
/// <param name="Session">The session's row.</param>
/// <param name="Messages">Rows of the child named messages, in the document's order.</param>
/// <param name="First">Number of the first of them, from 0.</param>
/// <param name="Count">How many messages the document has.</param>
/// <param name="Related">Rows of every other child by its name.</param>
internal sealed record Transcript(
    DocumentHeader Header,
    JsonElement Session,
    IReadOnlyList<JsonElement> Messages,
    int First,
    int Count,
    IReadOnlyDictionary<string, int> Related
);
