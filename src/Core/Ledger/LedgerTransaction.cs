using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// A change of the ledger alone that a person asked for, such as a hold. When the answer to its commit is lost it is settled as a delete
/// is: else a command says that it failed, and the hold is there, or the other way round.
/// </summary>
internal sealed class LedgerTransaction : IAsyncDisposable
{
    private readonly SourceConnections _connections;
    private readonly string _source;
    private readonly NpgsqlTransaction _transaction;
    private AuditStamp? _audit;

    private LedgerTransaction(SourceConnections connections, string source, NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        (_connections, _source, Connection, _transaction) = (connections, source, connection, transaction);

    public NpgsqlConnection Connection { get; }

    public static async Task<LedgerTransaction> BeginAsync(
        SourceConnections connections,
        string source,
        CancellationToken cancellationToken
    )
    {
        var connection = await connections.OpenAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellationToken);
            await connection.ExecuteAsync(TransactionSettings.Common + TransactionSettings.Change, cancellationToken);
            return new(connections, source, connection, transaction);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Notes who did what. There is no change without its entry, so the entry also says whether the change was committed.
    /// </summary>
    public async Task AuditAsync(AuditEntry entry, CancellationToken cancellationToken) =>
        _audit = await AuditLog.WriteAsync(Connection, entry, cancellationToken);

    /// <summary>Returns when the change is committed.</summary>
    /// <exception cref="NpgsqlException">It was rolled back.</exception>
    /// <exception cref="Diagnostics.ArchiverException">What became of it cannot be learnt now.</exception>
    public Task CommitAsync(CancellationToken cancellationToken)
    {
        var audit = _audit ?? throw new InvalidOperationException("A change of the ledger needs its entry in the audit.");
        return new CommitOutcome(
            _connections.Time,
            _connections.OpenAsync,
            $"The server of source '{_source}' did not answer a commit, nor what became of it. It is done wholly or not at all: look "
                + "before it is done again.",
            (other, _, token) => AuditLog.HasAsync(other, audit, token)
        ).CommitAsync(Connection, _transaction, _ => Task.CompletedTask, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await Connection.DisposeAsync();
    }
}
