using Npgsql;

namespace Archiver.Core.Import;

/// <summary>Makes room for a rehearsal of <c>--on-conflict replace</c>.</summary>
internal interface ILiveRows
{
    /// <summary>
    /// Takes the live rows of these sessions out of the tables, in a transaction that is never committed; returns why not, by key, for
    /// those whose rows would not give way.
    /// </summary>
    Task<IReadOnlyDictionary<string, string>> TakeAwayAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        IReadOnlyList<string> keys,
        CancellationToken cancellationToken
    );
}
