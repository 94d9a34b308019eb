using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Ids that a person gave, as the types of their columns write them: <c>{ABC...}</c> and <c>abc...</c> are one uuid, 04711 and 4711 one
/// integer. The tables are asked by type and the ledger by that text, so both find the same. Compared as typed, a hold would cover nothing
/// and an erasure find nobody.
/// </summary>
/// <param name="connection">Not in a transaction: a text that is no value of the type is an error there.</param>
internal sealed class GivenIds(NpgsqlConnection connection, SourceMap map)
{
    // Domains are followed to their base type, which has the length if they have one.
    private const string TypeOf = """
        WITH RECURSIVE base AS (
          SELECT a.atttypid AS typid, format_type(a.atttypid, a.atttypmod) AS exact
          FROM pg_catalog.pg_attribute AS a
          WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped
          UNION ALL
          SELECT t.typbasetype, b.exact
          FROM base AS b
          JOIN pg_catalog.pg_type AS t ON t.oid = b.typid
          WHERE t.typtype = 'd'
        )
        SELECT b.exact, format_type(b.typid, NULL)
        FROM base AS b
        JOIN pg_catalog.pg_type AS t ON t.oid = b.typid
        WHERE t.typtype <> 'd'
        """;

    private const string OfRow =
        "SELECT a.session_id FROM archiver.archives AS a WHERE a.source = $1 AND a.id = $2 AND a.state <> 'erased'";

    private const string InLedger =
        "SELECT EXISTS (SELECT FROM archiver.archives AS a WHERE a.source = $1 AND a.session_id = $2 AND a.state <> 'erased')";

    /// <summary>A session key as the server writes it, or null when the text is none.</summary>
    public async Task<string?> KeyAsync(string id, CancellationToken cancellationToken) => (await ReadKeyAsync(id, cancellationToken)).Text;

    /// <summary>Refuses an id that no session can have: a misspelled one must not look like one that is not there.</summary>
    /// <exception cref="ArchiverException">Kind Configuration; it names the column and its type.</exception>
    public async Task RequireSessionAsync(string source, string id, CancellationToken cancellationToken)
    {
        if (map.Session.ExternalId is not null)
            return;
        var (text, wrong) = await ReadKeyAsync(id, cancellationToken);
        // Archives from the time before the key got another type are known by their old keys.
        if (
            text is null
            && !(
                await Migrator.ExistsAsync(connection, cancellationToken)
                && await connection.ScalarAsync<bool>(InLedger, cancellationToken, PgParameter.Text(source), PgParameter.Text(id))
            )
        )
        {
            throw NoSession(wrong!, await RowHintAsync(source, id, cancellationToken));
        }
    }

    /// <summary>
    /// A sentence, with a blank before it, for whoever took the number of a row of <c>archiver list</c> for an id; else nothing.
    /// </summary>
    public async Task<string> RowHintAsync(string source, string id, CancellationToken cancellationToken) =>
        long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var row)
        && await Migrator.ExistsAsync(connection, cancellationToken)
        && await connection.ScalarAsync<string>(OfRow, cancellationToken, PgParameter.Text(source), PgParameter.Bigint(row)) is { } session
            ? $" {row.ToString(CultureInfo.InvariantCulture)} is the number of a row of archiver list; that row's session is {session}."
            : "";

    /// <summary>A user as the server writes it.</summary>
    /// <exception cref="ArchiverException">The text is no value of the user column, or none is mapped; kind Configuration.</exception>
    public async Task<string> UserAsync(string source, string user, CancellationToken cancellationToken)
    {
        if (map.Session.User is not { } column)
            throw new ArchiverException(
                FailureKind.Configuration,
                $"Source '{source}' maps no user column (Tables:Session:User), so nobody can tell whose its sessions are."
            );
        var (text, type) = await ReadAsync(column, user, (sql, _) => $"{sql}::text", cancellationToken);
        return text ?? throw NoSession(NoValue(user, column, type));
    }

    private static ArchiverException NoSession(string wrong, string hint = "") =>
        new(FailureKind.Configuration, $"{wrong}: no session has it.{hint}");

    private string NoValue(string id, string column, string type) =>
        $"'{id}' is no value of {map.Session.Table}.{PgIdentifier.Quote(column)} ({type})";

    /// <summary>The id as the server writes it, or what is wrong with it.</summary>
    private async Task<(string? Text, string? Wrong)> ReadKeyAsync(string id, CancellationToken cancellationToken)
    {
        var key = map.Session.Key;
        if ((key.Count == 1 ? [id] : SessionIdText.Read(id, key.Count)) is not { } values)
            return (
                null,
                $"'{id}' is no id of a session of {map.Session.Table}, whose key has {key.Count} columns: write "
                    + $"{SessionIdText.Of([.. key])} with their values"
            );
        List<string> texts = [];
        foreach (var (column, value) in key.Zip(values))
        {
            var (text, type) = await ReadAsync(column, value, KeyForm.Text, cancellationToken);
            if (text is null)
                return (null, NoValue(value, column, type));
            texts.Add(text);
        }
        return (SessionIdText.Of(texts), null);
    }

    private async Task<(string? Text, string Type)> ReadAsync(
        string column,
        string value,
        Func<string, string, string> write,
        CancellationToken cancellationToken
    )
    {
        var types = await connection.QueryAsync(
            TypeOf,
            row => (Exact: row.GetString(0), Base: row.GetString(1)),
            cancellationToken,
            PgParameter.Text(map.Session.Table.Sql),
            PgParameter.Text(column)
        );
        // Without the table, as before a restore to a new database, nothing is known of its types.
        if (types is not [var (exact, general)])
            return (value, "");
        // "character" alone is one character long. An explicit cast cuts and rounds to the column's length without a word; then it is
        // another value.
        var loose = general == "character" ? "bpchar" : general;
        var fits = loose is "bpchar" or "character varying" or "numeric" ? $"($1::{exact})::{loose} = $1::{loose}" : "true";
        try
        {
            return (
                await connection.ScalarAsync<string>(
                    $"SELECT {write($"($1::{exact})", general)} WHERE {fits}",
                    cancellationToken,
                    PgParameter.Text(value)
                ),
                exact
            );
        }
        catch (PostgresException exception) when (exception.SqlState[..2] is "22" or "23")
        {
            return (null, exact);
        }
    }
}
