using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>A row of the system catalogs that carries its own query, so that all of them travel to the server in one batch.</summary>
internal interface ICatalogFact<out T>
{
    /// <summary>Takes the tables' oids as $1; names resolve to pg_catalog.</summary>
    static abstract string Sql { get; }

    static abstract T Read(NpgsqlDataReader row);
}
