using Archiver.Core.Export;
using Archiver.Core.Spool;

namespace Archiver.Core.Upload;

/// <summary>An object that is to be stored: its bytes and where each session's gzip member lies in them.</summary>
/// <param name="Content">All bytes.</param>
/// <param name="Members">In the order of the bytes, without gaps.</param>
internal sealed record PlannedObject(IObjectContent Content, IReadOnlyList<ObjectMember> Members)
{
    /// <summary>One object of several sessions, in this order.</summary>
    public static PlannedObject Of(IReadOnlyList<ExportedSession> sessions)
    {
        List<ObjectMember> members = [];
        var offset = 0L;
        foreach (var session in sessions)
        {
            members.Add(new(session, offset, session.Document.Content.Length));
            offset += session.Document.Content.Length;
        }
        return new(new ConcatenatedContent([.. sessions.Select(s => (IObjectContent)s.Document.Content)]), members);
    }

    /// <summary>Two objects instead of one that the store refused.</summary>
    /// <exception cref="InvalidOperationException">It holds a single session.</exception>
    public IReadOnlyList<PlannedObject> Halve()
    {
        if (Members.Count < 2)
            throw new InvalidOperationException("An object of one session cannot be halved.");
        List<ExportedSession> sessions = [.. Members.Select(m => m.Session)];
        var half = sessions.Count / 2;
        return [Of(sessions[..half]), Of(sessions[half..])];
    }
}

/// <summary>One session inside an object.</summary>
/// <param name="Session">The exported session.</param>
/// <param name="Offset">First byte of its gzip member.</param>
/// <param name="Length">Bytes of its gzip member.</param>
internal sealed record ObjectMember(ExportedSession Session, long Offset, long Length);
