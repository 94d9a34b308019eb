using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>What every step of an erasure works with: its run, the store, what is to be erased, and who asked for it.</summary>
internal sealed record EraseScope
{
    public required ManualScope Run { get; init; }

    public required SourceShape Shape { get; init; }

    public required ArchiverSettings Settings { get; init; }

    public required IArchiveStore Store { get; init; }

    public required EraseWork Work { get; init; }

    public required EraseRequest Request { get; init; }

    public required string Who { get; init; }

    public SourceSettings Source => Run.Source;

    /// <inheritdoc cref="RemovalTransaction"/>
    public Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        RemovalTransaction.BeginAsync(connection, Source.Name, Settings, cancellationToken);

    /// <summary>Those of these sessions that a hold covers stay. Under the hold lock.</summary>
    public async Task KeepHeldAsync(NpgsqlConnection connection, IReadOnlyCollection<string> sessions, CancellationToken cancellationToken)
    {
        foreach (var session in await HeldSessions.FindAsync(connection, Source, Shape, sessions, cancellationToken))
            Work.Keep(session, ErasedSession.Held, "under a legal hold");
    }

    /// <summary>Something of these sessions stays.</summary>
    public void Keep(IEnumerable<string> sessions, string problem)
    {
        foreach (var session in sessions)
            Work.Keep(session, ErasedSession.Remaining, problem);
    }

    public Task AuditAsync(NpgsqlConnection connection, Dictionary<string, long> counts, CancellationToken cancellationToken) =>
        AuditLog.WriteAsync(
            connection,
            new(Who, Eraser.Name, Source.Name, RunId: Run.RunId, Reason: Request.Reason, Counts: counts),
            cancellationToken
        );
}
