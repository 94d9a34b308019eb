using Archiver.Core.Export;
using Archiver.Core.Spool;

namespace Archiver.Core.Upload;

/// <summary>An object that is to be stored: its bytes and where each session's gzip member lies in them.</summary>
/// <param name="Content">All bytes.</param>
/// <param name="Members">In the order of the bytes, without gaps.</param>
internal sealed record PlannedObject(IObjectContent Content, IReadOnlyList<ObjectMember> Members);

/// <summary>One session inside an object.</summary>
/// <param name="Session">The exported session.</param>
/// <param name="Offset">First byte of its gzip member.</param>
/// <param name="Length">Bytes of its gzip member.</param>
internal sealed record ObjectMember(ExportedSession Session, long Offset, long Length);
