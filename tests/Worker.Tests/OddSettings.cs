using Archiver.Testing;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>A database whose sessions have odd settings.</summary>
public abstract class OddSettings(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    /// <summary>A message with a value of each type whose text hangs on a setting, in columns added to the application's own.</summary>
    private protected const string Odd = """
        CREATE SCHEMA odd;
        CREATE TYPE odd.mood AS ENUM ('so so');
        ALTER TABLE chat_messages ADD COLUMN at timestamptz, ADD COLUMN day date, ADD COLUMN span interval, ADD COLUMN number float8,
          ADD COLUMN bytes bytea,
          ADD COLUMN markup xml, ADD COLUMN list text[], ADD COLUMN mood odd.mood;
        UPDATE chat_messages SET content = 'Grüße', at = '2026-03-04 05:06:07+00', day = '2026-03-04',
          span = '1 year 2 mons -3 days 04:05:06', number = 0.1::float8 + 0.2,
          bytes = '\x00ff5c', markup = 'a<b/>', list = ARRAY['a', NULL], mood = 'so so';
        """;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected async Task<Installation> CreateAsync(int idle = 1)
    {
        var archiver = await Installation.CreateAsync(Servers, Token, idle, young: 0, messages: 1);
        await archiver.Database.ExecuteAsync(Odd);
        // The test server's own defaults are odd: here each test has one odd setting, which nothing else stands for.
        foreach (
            var setting in (string[])
                [
                    "TimeZone = 'UTC'",
                    "DateStyle = 'ISO, YMD'",
                    "IntervalStyle = 'postgres'",
                    "bytea_output = 'hex'",
                    "extra_float_digits = 1",
                ]
        )
            await SetAsync(archiver, setting);
        return archiver;
    }

    private protected static Task<int> SetAsync(Installation archiver, string setting) =>
        archiver.Database.ExecuteAsync(
            $"ALTER DATABASE {new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString).Database} SET {setting}"
        );

    // With variables in a process of its own: the driver reads those of the process that it is in.
    private protected static async Task<ProcessResult> RunAsync(
        Installation archiver,
        Dictionary<string, string?> variables,
        params string[] arguments
    )
    {
        if (variables.Count == 0)
            return await archiver.RunAsync(arguments);
        await using var process = archiver.Start(variables, arguments);
        return await process.WaitForExitAsync(Token).WaitAsync(TimeSpan.FromMinutes(3), Token);
    }
}
