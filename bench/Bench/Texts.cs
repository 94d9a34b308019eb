namespace Archiver.Bench;

/// <summary>How long the messages are, as times of the samples' own texts: what costs least a byte costs most a session.</summary>
internal enum Texts
{
    /// <summary>About 200 characters, as in chats between people and in support.</summary>
    Short = 1,

    /// <summary>About 600, as in people's chats with assistants.</summary>
    Long = 3,
}
