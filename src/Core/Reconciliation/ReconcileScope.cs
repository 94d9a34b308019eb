using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>What the steps of a reconciliation work with, under the source's lock.</summary>
internal sealed record ReconcileScope
{
    public required SourceSettings Source { get; init; }

    public required SourceConnections Connections { get; init; }

    /// <summary>
    /// For reading. What commits takes one of its own: an answer that is lost takes its connection with it, and the rest goes on.
    /// </summary>
    public required NpgsqlConnection Connection { get; init; }

    public required IArchiveStore Store { get; init; }

    public required DatabaseIdentity Database { get; init; }

    public required Lease Lease { get; init; }

    /// <summary>Whether anything is changed.</summary>
    public required bool Fix { get; init; }

    /// <summary>Who asked, for the audit.</summary>
    public required string Who { get; init; }
}
