using System.Collections.Concurrent;
using Archiver.Core.Ledger;

namespace Archiver.Testing;

/// <summary>
/// Makes each sample once, as a template that tests copy: that takes a sixth of the processor time of making it again. A preset's samples
/// are copies of a template with its schema. That is a copy of one with nothing but the ledger.
/// </summary>
/// <remarks>The templates are this process's own, so that no other process drops or changes one under it.</remarks>
internal sealed class SampleDatabases(TestServers servers) : IAsyncDisposable
{
    // To the archiver a copy with the ledger of its template would be a copy of somebody's database, which destroys no object.
    private const string LedgerOfItsOwn = """
        UPDATE archiver.ledger SET id = gen_random_uuid(), created_at = clock_timestamp();
        UPDATE archiver.migrations SET applied_at = clock_timestamp();
        UPDATE archiver.owners AS o SET database = d.datname, database_oid = d.oid::bigint, at = clock_timestamp() FROM pg_database AS d
          WHERE d.datname = current_database();
        """;

    private readonly Lazy<Task<TestDatabase>> _ledger = new(() => LedgerAsync(servers));
    private readonly ConcurrentDictionary<string, Lazy<Task<TestDatabase>>> _presets = [];
    private readonly ConcurrentDictionary<Sample, Lazy<Task<TestDatabase>>> _templates = [];

    /// <summary>A copy of the sample, for one test.</summary>
    /// <param name="sample">What it holds.</param>
    /// <param name="ledger">Whether it has an empty ledger, as <c>archiver migrate</c> makes it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<TestDatabase> CreateAsync(Sample sample, bool ledger, CancellationToken cancellationToken) =>
        CopyAsync(
            _templates.GetOrAdd(sample, s => new Lazy<Task<TestDatabase>>(() => TemplateAsync(s))),
            ledger ? LedgerOfItsOwn : "DROP SCHEMA archiver CASCADE",
            cancellationToken
        );

    /// <summary>A database with an empty ledger and no other table.</summary>
    public Task<TestDatabase> CreateLedgerAsync(CancellationToken cancellationToken) =>
        CopyAsync(_ledger, LedgerOfItsOwn, cancellationToken);

    /// <summary>Drops the templates.</summary>
    public async ValueTask DisposeAsync() =>
        await Parallel.ForEachAsync(_templates.Values.Concat(_presets.Values).Append(_ledger), async (template, _) =>
        {
            if (template.IsValueCreated && template.Value.IsCompletedSuccessfully)
                await (await template.Value).DisposeAsync();
        });

    private static async Task<TestDatabase> CopyAsync(Lazy<Task<TestDatabase>> template, string then, CancellationToken cancellationToken)
    {
        // The template is made without the token: another test may wait for the same one.
        var database = await (await template.Value.WaitAsync(cancellationToken)).CopyUnusedAsync(cancellationToken);
        await database.ExecuteAsync(then, cancellationToken);
        return database;
    }

    private async Task<TestDatabase> TemplateAsync(Sample sample)
    {
        var preset = _presets.GetOrAdd(sample.Preset, p => new Lazy<Task<TestDatabase>>(() => PresetAsync(p)));
        var database = await (await preset.Value).CopyUnusedAsync(CancellationToken.None);
        await ApplicationSchema.GenerateKeptAsync(
            database,
            sample.Preset,
            sample.Idle,
            sample.Young,
            sample.Messages,
            CancellationToken.None
        );
        return database;
    }

    private async Task<TestDatabase> PresetAsync(string preset)
    {
        var database = await (await _ledger.Value).CopyUnusedAsync(CancellationToken.None);
        await ApplicationSchema.InstallAsync(database, preset);
        await ApplicationSchema.KeepAsync(database, CancellationToken.None);
        return database;
    }

    private static async Task<TestDatabase> LedgerAsync(TestServers servers)
    {
        var database = await TestDatabase.CreateAsync(servers, CancellationToken.None);
        await using var connection = await database.DataSource.OpenConnectionAsync();
        await Migrator.MigrateAsync(connection, CancellationToken.None);
        return database;
    }
}
