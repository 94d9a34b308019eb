using System.Globalization;
using Archiver.Core.Settings;

namespace Archiver.Bench;

/// <summary>
/// Whether memory is bounded by the longest value and not by the session: a session of a million messages, and a message of 200 MB.
/// </summary>
internal sealed class HugeSessions(BenchEnvironment environment)
{
    private const int Megabyte = 1_000_000;

    private const string Session = """
        INSERT INTO public.chat_sessions (session_id, user_id, created_at, last_activity)
        VALUES (gen_random_uuid(), 'huge', now() - interval '200 days', now() - interval '100 days');
        """;

    // About 400 characters of content each, about 500 bytes of JSON a message.
    private const string Million = $"""
        {Session}
        INSERT INTO public.chat_messages (session_id, role, content, timestamp)
        SELECT s.session_id, 'user', 'Message ' || n || ': ' || (SELECT string_agg(md5(n::text || k), ' ')
          FROM generate_series(1, 11) AS k), now() - interval '200 days' + n * interval '1 second'
        FROM public.chat_sessions AS s, generate_series(1, 1000000) AS n;
        """;

    // Half of it repeats and half does not, as a pasted file would.
    private static readonly string OneValue = $"""
        {Session}
        INSERT INTO public.chat_messages (session_id, role, content, timestamp)
        SELECT s.session_id, 'user', (SELECT string_agg(md5(n::text) || repeat('x', 32), '')
          FROM generate_series(1, {200 * Megabyte / 64}) AS n), now() - interval '200 days'
        FROM public.chat_sessions AS s;
        """;

    public async Task<ResultFile> RunAsync(CancellationToken cancellationToken)
    {
        List<ResultRow> rows = [];
        List<ResultRatio> ratios = [];
        List<ResultCurve> curves = [];
        var database = new SampleDatabase(environment);
        foreach (
            var (name, sql, limit) in ((string, string, double)[])
                [("a session of 1,000,000 messages", Million, 200), ("a message of 200 MB", OneValue, 200 + (3 * 200))]
        )
        {
            await Console.Error.WriteLineAsync($"Making {name}");
            var copy = await database.CreateEmptyAsync(cancellationToken);
            await database.ExecuteAsync(copy, sql, cancellationToken);
            var (seconds, peak, samples) = await new ArchiverExecutable(environment).ArchiveAsync(
                database.ConnectionString(copy),
                copy,
                StorageLayout.Session,
                cancellationToken
            );
            var json = await database.ScalarAsync<long>(
                copy,
                "SELECT sum(json_length)::bigint FROM archiver.archives WHERE state = 'archived'",
                cancellationToken
            );
            rows.Add(
                new(
                    name,
                    string.Create(CultureInfo.InvariantCulture, $"{json / 1e6:0} MB of JSON, peak memory {peak:0} MB"),
                    1,
                    seconds,
                    seconds,
                    seconds,
                    1 / seconds,
                    new Dictionary<string, double>()
                )
            );
            ratios.Add(new($"peak memory for {name}", Math.Round(peak), "MB", "at most", limit));
            curves.Add(new(name, samples));
            await Console.Error.WriteLineAsync($"  {name}: {rows[^1].Description}, {seconds:0.0} s");
            await database.DropAsync(copy, cancellationToken);
        }
        return new()
        {
            Kind = "memory",
            Date = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture),
            Machine = await Machine.ReadAsync(database, cancellationToken),
            Rows = rows,
            Ratios = ratios,
            Curves = curves,
        };
    }
}
