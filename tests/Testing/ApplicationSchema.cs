namespace Archiver.Testing;

/// <summary>The application schemas of <c>sql/schemas</c>, empty or filled by the generators of <c>sql/samples</c>.</summary>
public static class ApplicationSchema
{
    // What a sample's texts are put together from is made once a connection: two thirds of the time that a small sample takes.
    private const string KeepSentences = "CREATE TABLE kept_sentence AS TABLE sample_sentence";
    private const string UseSentences =
        "CREATE TEMP TABLE sample_sentence AS TABLE kept_sentence; ALTER TABLE sample_sentence ADD PRIMARY "
        + "KEY (kind, number); DROP TABLE kept_sentence;";

    /// <summary>Creates a preset's application schema; again does nothing.</summary>
    public static async Task InstallAsync(TestDatabase database, string preset, CancellationToken cancellationToken = default) =>
        await ExecuteAsync(database, await ReadAsync("schemas", preset, cancellationToken), cancellationToken);

    /// <summary>
    /// Fills an installed schema: idle sessions (91 to 730 days old) and young ones (up to 30 days), each with so many messages.
    /// The same numbers give the same sessions, which are added only once; another seed gives others.
    /// </summary>
    public static async Task GenerateAsync(
        TestDatabase database,
        string preset,
        int idle,
        int young,
        int messages,
        int seed = 1,
        CancellationToken cancellationToken = default
    ) => await GenerateAsync(database, "", preset, idle, young, messages, seed, cancellationToken);

    /// <summary>Keeps in an installed schema's database what <see cref="GenerateKeptAsync"/> needs there, or in a copy of it.</summary>
    internal static async Task KeepAsync(TestDatabase database, CancellationToken cancellationToken) =>
        await ExecuteAsync(
            database,
            $"{await ReadAsync("samples", "conversations", cancellationToken)}\n{KeepSentences}",
            cancellationToken
        );

    /// <summary>
    /// The same as <see cref="GenerateAsync(TestDatabase, string, int, int, int, int, CancellationToken)"/> with what is kept, which goes.
    /// </summary>
    internal static Task GenerateKeptAsync(
        TestDatabase database,
        string preset,
        int idle,
        int young,
        int messages,
        CancellationToken cancellationToken
    ) => GenerateAsync(database, UseSentences, preset, idle, young, messages, seed: 1, cancellationToken);

    private static async Task GenerateAsync(
        TestDatabase database,
        string before,
        string preset,
        int idle,
        int young,
        int messages,
        int seed,
        CancellationToken cancellationToken
    )
    {
        var settings = $"""
            SET sample.idle = '{idle}';
            SET sample.young = '{young}';
            SET sample.messages = '{messages}';
            SET sample.seed = '{seed}';
            """;
        var conversations = await ReadAsync("samples", "conversations", cancellationToken);
        var sample = await ReadAsync("samples", preset, cancellationToken);
        // One command, so one connection: the views that the sample reads are temporary.
        await ExecuteAsync(database, string.Join('\n', before, settings, conversations, sample), cancellationToken);
    }

    private static Task<string> ReadAsync(string folder, string name, CancellationToken cancellationToken) =>
        File.ReadAllTextAsync(Repository.File("sql", folder, $"{name}.sql"), cancellationToken);

    private static async Task ExecuteAsync(TestDatabase database, string sql, CancellationToken cancellationToken)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        // A benchmark's million messages take longer than the driver's default.
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
