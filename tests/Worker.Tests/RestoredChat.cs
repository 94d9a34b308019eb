namespace Archiver.Worker.Tests;

/// <summary>A chat that is archived and restored.</summary>
internal static class RestoredChat
{
    internal static Installation Chat(Installation archiver) =>
        archiver
            .With("Sources:main:Preset", null)
            .With("Sources:main:Tables:Session:Table", "chat")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "updated_at");
}
