using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Export;

/// <summary>Waits for what a standby is to replay, and for no longer than is patience.</summary>
internal sealed class StandbyWait(RunContext run, TimeSpan patience, TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private const string ReplayedAge =
        "SELECT coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)::float8";

    /// <summary>Returns when it is there.</summary>
    /// <exception cref="ArchiverException">It is not there in time.</exception>
    public async Task UntilAsync(
        NpgsqlConnection standby,
        Func<NpgsqlConnection, CancellationToken, Task<bool>> isThere,
        CancellationToken cancellationToken
    )
    {
        var began = time.GetTimestamp();
        while (!await isThere(standby, cancellationToken))
        {
            if (time.GetElapsedTime(began) > patience)
                throw await BehindAsync(standby, cancellationToken);
            await Task.Delay(Poll, time, cancellationToken);
        }
    }

    private async Task<ArchiverException> BehindAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var age = await connection.ScalarAsync<double>(ReplayedAge, cancellationToken);
        return new(
            FailureKind.Failed,
            string.Create(
                CultureInfo.InvariantCulture,
                $"The standby of Archiver:Sources:{run.Source.Name}:ReplicaConnectionString has not got this run's record after "
                    + $"{patience.TotalSeconds:0} s: it is behind, or follows another primary; the last that it replayed is {age:0} s old. "
                    + $"Nothing more was exported or deleted."
            )
        );
    }
}
