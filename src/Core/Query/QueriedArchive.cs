using Archiver.Core.Reading;
using Archiver.Core.Storage;

namespace Archiver.Core.Query;

/// <summary>An archive that a question reads: where its document is, and the ledger's columns of the views.</summary>
internal sealed record QueriedArchive(LocatedArchive Archive)
{
    public required string Policy { get; init; }

    public string? ExternalId { get; init; }

    public DateTimeOffset? LastActivity { get; init; }

    public DateTimeOffset? ArchivedAt { get; init; }

    public required long Messages { get; init; }

    /// <summary>Writes what a scan needs of it.</summary>
    public void Write(BinaryWriter writer)
    {
        writer.Write(Archive.Id);
        writer.Write(Archive.Source);
        writer.Write(Archive.SessionId);
        writer.Write(Archive.Generation);
        writer.Write(Archive.State);
        writer.Write(Archive.Object.Key);
        Write(writer, Archive.User);
        Write(writer, Archive.Created);
        Write(writer, Archive.CopiedAt);
        writer.Write(Archive.Length);
        writer.Write(Archive.JsonLength);
        writer.Write(Policy);
        Write(writer, ExternalId);
        Write(writer, LastActivity);
        Write(writer, ArchivedAt);
        writer.Write(Messages);
    }

    /// <summary>Reads what <see cref="Write(BinaryWriter)"/> wrote; offsets and hash are not in it.</summary>
    public static QueriedArchive Read(BinaryReader reader)
    {
        var (id, source, session, generation, state, key) = (
            reader.ReadInt64(),
            reader.ReadString(),
            reader.ReadString(),
            reader.ReadInt32(),
            reader.ReadString(),
            reader.ReadString()
        );
        var (user, created, copied, length, json) = (Text(reader), Time(reader), Time(reader), reader.ReadInt64(), reader.ReadInt64());
        return new(
            new LocatedArchive(id, source, session, generation, state, new ObjectName(key), 0, length, json, [])
            {
                User = user,
                Created = created,
                CopiedAt = copied,
            }
        )
        {
            Policy = reader.ReadString(),
            ExternalId = Text(reader),
            LastActivity = Time(reader),
            ArchivedAt = Time(reader),
            Messages = reader.ReadInt64(),
        };
    }

    private static void Write(BinaryWriter writer, string? text)
    {
        writer.Write(text is not null);
        if (text is not null)
            writer.Write(text);
    }

    private static void Write(BinaryWriter writer, DateTimeOffset? time) => writer.Write(time?.UtcTicks ?? -1);

    private static string? Text(BinaryReader reader) => reader.ReadBoolean() ? reader.ReadString() : null;

    private static DateTimeOffset? Time(BinaryReader reader) => reader.ReadInt64() is var ticks and >= 0 ? new(ticks, TimeSpan.Zero) : null;
}
