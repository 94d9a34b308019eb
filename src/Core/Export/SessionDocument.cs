using Archiver.Core.Spool;

namespace Archiver.Core.Export;

/// <summary>One session's finished document: the gzip member and what is known of the JSON inside.</summary>
/// <param name="Content">The gzip bytes, in memory or, when large, in an encrypted temporary file.</param>
/// <param name="JsonLength">Bytes of the JSON.</param>
/// <param name="JsonSha256">SHA-256 of the JSON.</param>
internal sealed record SessionDocument(SpooledContent Content, long JsonLength, byte[] JsonSha256);
