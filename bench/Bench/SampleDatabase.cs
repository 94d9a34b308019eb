using System.Globalization;
using Npgsql;

namespace Archiver.Bench;

/// <summary>
/// The generated chats: a template database that every measurement gets a fresh copy of, so that none finds what another left. Text comes
/// from <c>sql/samples</c>, which compresses like real chats.
/// </summary>
internal sealed class SampleDatabase(BenchEnvironment environment)
{
    /// <summary>Messages of a session.</summary>
    public const int Messages = 20;

    /// <summary>
    /// Sessions made by the generator; more are copies of them under other keys, since only one session's text is ever compressed together.
    /// </summary>
    private const int Generated = 20_000;

    private int _copies;

    /// <summary>Creates the template with so many sessions that are old enough, and a few young ones that must stay.</summary>
    /// <param name="sessions">So many.</param>
    /// <param name="texts">Their texts.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<string> CreateAsync(int sessions, Texts texts, CancellationToken cancellationToken)
    {
        var name = $"bench_{texts}_{sessions}_{++_copies}".ToLowerInvariant();
        await AdminAsync($"CREATE DATABASE {name}", cancellationToken);
        var first = Math.Min(sessions, Generated);
        var young = Math.Max(1, first / 20);
        await ExecuteAsync(
            name,
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                SET sample.idle = '{first}'; SET sample.young = '{young}'; SET sample.messages = '{Messages}';
                  SET sample.length = '{(int)texts}';
                {Script("schemas", "ended-at")}
                {Script("samples", "conversations")}
                {Script("samples", "ended-at")}
                """
            ),
            cancellationToken
        );
        for (var made = first; made < sessions; made += first)
            await ExecuteAsync(name, More(made, Math.Min(first, sessions - made)), cancellationToken);
        await ExecuteAsync(name, "VACUUM (ANALYZE) public.chat_sessions, public.chat_messages", cancellationToken);
        NpgsqlConnection.ClearAllPools();
        return name;
    }

    /// <summary>A database with the schema and no rows.</summary>
    public async Task<string> CreateEmptyAsync(CancellationToken cancellationToken)
    {
        var name = $"bench_empty{++_copies}";
        await AdminAsync($"CREATE DATABASE {name}", cancellationToken);
        await ExecuteAsync(name, Script("schemas", "ended-at"), cancellationToken);
        return name;
    }

    /// <summary>A fresh copy of a template, with everything on disk that its making left to write.</summary>
    public async Task<string> CopyAsync(string template, CancellationToken cancellationToken)
    {
        var name = $"{template}_copy{++_copies}";
        await AdminAsync($"CREATE DATABASE {name} TEMPLATE {template}", cancellationToken);
        await AdminAsync("CHECKPOINT", cancellationToken);
        return name;
    }

    public async Task DropAsync(string name, CancellationToken cancellationToken)
    {
        NpgsqlConnection.ClearAllPools();
        await AdminAsync($"DROP DATABASE {name} WITH (FORCE)", cancellationToken);
    }

    /// <summary>Connection string of one of the databases.</summary>
    public string ConnectionString(string name) =>
        new NpgsqlConnectionStringBuilder(environment.Postgres) { Database = name }.ConnectionString;

    /// <summary>Runs statements in one of the databases.</summary>
    public async Task ExecuteAsync(string name, string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(name));
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The first value that a statement gives in one of the databases.</summary>
    public async Task<T> ScalarAsync<T>(string name, string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(name));
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private Task AdminAsync(string sql, CancellationToken cancellationToken) => ExecuteAsync("postgres", sql, cancellationToken);

    private string Script(string folder, string name) => File.ReadAllText(Path.Combine(environment.Root, "sql", folder, $"{name}.sql"));

    private string More(int made, int count) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"SET bench.first = '{Generated}'; SET bench.made = '{made}'; SET bench.count = '{count}'; "
                + $"{File.ReadAllText(Path.Combine(environment.Root, "bench", "copies.sql"))}"
        );
}
