using System.Diagnostics;
using Npgsql;

namespace Archiver.Bench;

/// <summary>
/// What one thread cannot beat with the same gzip level: the ordered rows by COPY through <c>gzip -6</c> to a file, then one DELETE of the
/// messages and one of the sessions. Nothing is uploaded and nothing is checked.
/// </summary>
internal sealed class FloorMeasurement(BenchEnvironment environment, SampleDatabase database, string template, CpuClock cpu) : IMeasurement
{
    private const string Old = "last_activity < now() - interval '90 days'";

    // Memory enough for the sort, and the sort by the shortest key: the floor gets what helps it.
    private const string Prepare =
        "SET client_min_messages = warning; SET work_mem = '512MB'; SET jit = off; SET max_parallel_workers_per_gather = 0";

    public string Name => "floor";

    public string Description => "psql COPY of the ordered rows | gzip -6 > file; one DELETE of the messages, one of the sessions";

    public async Task<IReadOnlyList<Measured>> MeasureAsync(CancellationToken cancellationToken)
    {
        var copy = await database.CopyAsync(template, cancellationToken);
        var folder = Directory.CreateTempSubdirectory("archiver-bench-");
        try
        {
            var sessions = await database.ScalarAsync<long>(
                copy,
                $"SELECT count(*) FROM public.chat_sessions WHERE {Old}",
                cancellationToken
            );
            var before = cpu.Read();
            var started = Stopwatch.GetTimestamp();
            await RunAsync(copy, Path.Combine(folder.FullName, "rows.gz"), cancellationToken);
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var left = await database.ScalarAsync<long>(copy, $"SELECT count(*) FROM public.chat_sessions WHERE {Old}", cancellationToken);
            if (left != 0)
                throw new InvalidOperationException($"The floor left {left} sessions.");
            return [new(Name, sessions, seconds, CpuClock.Between(before, cpu.Read()))];
        }
        finally
        {
            folder.Delete(recursive: true);
            await database.DropAsync(copy, CancellationToken.None);
        }
    }

    private async Task RunAsync(string name, string file, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnectionStringBuilder(environment.Postgres);
        var start = new ProcessStartInfo("bash")
        {
            ArgumentList =
            {
                "-c",
                """
                    set -e -o pipefail
                    "$PSQL" -X -q -c "$PREPARE" -c "$SESSIONS" -c "$MESSAGES" | gzip -6 >"$TARGET"
                    "$PSQL" -X -q -c "$DELETE_MESSAGES" -c "$DELETE_SESSIONS"
                    """,
            },
            Environment =
            {
                ["PSQL"] = environment.Psql,
                ["TARGET"] = file,
                ["PREPARE"] = Prepare,
                ["PGHOST"] = connection.Host,
                ["PGPORT"] = $"{connection.Port}",
                ["PGUSER"] = connection.Username,
                ["PGPASSWORD"] = connection.Password,
                ["PGDATABASE"] = name,
                ["SESSIONS"] = $"COPY (SELECT * FROM public.chat_sessions WHERE {Old} ORDER BY session_id) TO STDOUT",
                ["MESSAGES"] =
                    "COPY (SELECT m.* FROM public.chat_messages AS m JOIN public.chat_sessions AS s USING (session_id) WHERE "
                    + $"s.{Old} ORDER BY m.session_id, m.timestamp, m.id) TO STDOUT",
                ["DELETE_MESSAGES"] =
                    $"DELETE FROM public.chat_messages AS m USING public.chat_sessions AS s WHERE s.session_id = m.session_id AND s.{Old}",
                ["DELETE_SESSIONS"] = $"DELETE FROM public.chat_sessions WHERE {Old}",
            },
        };
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"The floor's pipeline ended with {process.ExitCode}.");
    }
}
