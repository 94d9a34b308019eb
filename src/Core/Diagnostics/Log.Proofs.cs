using Microsoft.Extensions.Logging;

namespace Archiver.Core.Diagnostics;

/// <summary>Messages of scheduled proofs; ids 4000 to 4099. No session is named: <c>status</c> does.</summary>
internal static partial class Log
{
    [LoggerMessage(
        EventId = 4000,
        Level = LogLevel.Information,
        Message = "Scheduled {Proof} of source {Source}: nothing wrong, {Checked} checked in {ElapsedMs} ms"
    )]
    public static partial void ProofDone(this ILogger logger, string proof, string source, long @checked, long elapsedMs);

    [LoggerMessage(
        EventId = 4001,
        Level = LogLevel.Error,
        Message = "Scheduled {Proof} of source {Source} found {Found}, {Checked} checked in {ElapsedMs} ms. See: archiver status"
    )]
    public static partial void ProofFound(this ILogger logger, string proof, string source, string found, long @checked, long elapsedMs);

    [LoggerMessage(
        EventId = 4002,
        Level = LogLevel.Warning,
        Message = "Scheduled {Proof} of source {Source} skipped: {Reason}. It is tried again at its next time"
    )]
    public static partial void ProofSkipped(this ILogger logger, string proof, string source, string reason);

    [LoggerMessage(
        EventId = 4003,
        Level = LogLevel.Error,
        Message = "Scheduled {Proof} of source {Source} failed, which says nothing "
            + "about the archive: {Problem}. It is tried again at its next time"
    )]
    public static partial void ProofFailed(this ILogger logger, string proof, string source, string problem);

    [LoggerMessage(
        EventId = 4004,
        Level = LogLevel.Information,
        Message = "Scheduled {Proof} of source {Source} stopped; it begins again at its next time"
    )]
    public static partial void ProofStopped(this ILogger logger, string proof, string source);

    [LoggerMessage(
        EventId = 4005,
        Level = LogLevel.Warning,
        Message = "The ledger could not record how the scheduled {Proof} of source {Source} went"
    )]
    public static partial void ProofNotRecorded(this ILogger logger, Exception exception, string proof, string source);

    [LoggerMessage(
        EventId = 4006,
        Level = LogLevel.Information,
        Message = "{Aside} of {Drilled} restores of source {Source} were "
            + "rehearsed in temporary tables, because the session is live or the role may not insert: no trigger or foreign key was tried"
    )]
    public static partial void DrilledAside(this ILogger logger, long aside, long drilled, string source);
}
