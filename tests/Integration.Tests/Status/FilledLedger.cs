using Archiver.Testing;

namespace Archiver.Integration.Tests.Status;

/// <summary>A ledger with so many archives that a scan shows: filled once for a class, and copied for each of its tests.</summary>
public sealed class FilledLedger(TestServers servers) : IAsyncLifetime
{
    public const string Run = "01932234-0000-7000-8000-000000000007";

    private const string Fill = """
        INSERT INTO archiver.runs (id, source, policy, action, worker, state)
        SELECT ('01932234-0000-7000-8000-' || lpad(r::text, 12, '0'))::uuid, 'main', 'idle', 'archive', 'test', 'done'
          FROM generate_series(0, 39) AS r;
        INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, state, members, length, sha256)
        SELECT 's3://test', 'o' || n, 'a', 'main', ('01932234-0000-7000-8000-' || lpad((n / 5)::text, 12, '0'))::uuid, 'bundle', 'stored',
          '{}', 1, '' FROM generate_series(0, 199) AS n;
        INSERT INTO archiver.archives (source, run_id, policy, exported_at, session_id, external_id, generation, state, user_id,
          session_created_at, session_last_activity, message_count, row_count,
                                       object_id, byte_offset, byte_length, json_length, json_sha256, fingerprints)
        SELECT 'main', o.run_id, 'idle', now(), md5(n::text)::uuid, 'x' || n, 1, CASE WHEN n % 1000 = 0 THEN 'stored'
          ELSE 'archived' END, 'u' || n % 700, at, at, 1, 2, o.id, n, 1, 1, '', '{}'
        FROM generate_series(0, 19999) AS n JOIN archiver.objects AS o
          ON o.key = 'o' || n / 100, LATERAL (SELECT timestamptz '2020-01-01' + n * interval '1 hour') AS t (at) ORDER BY n;
        """;

    private ArchiverFixture? _original;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _original = await ArchiverFixture.CreateAsync(servers, Token, idle: 20, young: 1, messages: 1);
        await _original.Database.ExecuteAsync(Fill, Token);
        // Ranges of pages are summarized by vacuum.
        await _original.Database.ExecuteAsync("VACUUM (ANALYZE) archiver.archives, archiver.objects, archiver.runs", Token);
    }

    public async Task<ArchiverFixture> CopyAsync() =>
        _original!.Over(await TestDatabase.CopyAsync(_original.Database, Token), settings => settings);

    public async ValueTask DisposeAsync()
    {
        if (_original is not null)
            await _original.DisposeAsync();
    }
}
