using System.Collections.Concurrent;
using System.Data.Common;
using System.Net.Sockets;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>
/// <c>Schedule:Clustered</c>: one Quartz cluster a source, whose tables lie in schema <c>archiver_quartz</c> of the source's own database.
/// Each firing happens on one worker; a firing whose worker died is done again by another. What makes a run exclusive is still its lock.
/// </summary>
internal sealed class ClusteredSchedule(
    ArchiverSettings settings,
    ConnectionCatalog connections,
    SourceRuns runs,
    ServerWait servers,
    Readiness readiness,
    TimeProvider time,
    ILoggerFactory loggers,
    ILogger<ClusteredSchedule> logger
) : IAsyncDisposable
{
    public const string Schema = "archiver_quartz";

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    // Two workers that start together would both create the same tables, or each add what the other removes. Bounded: one that waits is not
    // ready, and tries again.
    private const string OneAtATime =
        "SET lock_timeout = '60s'; SELECT pg_advisory_lock(hashtextextended('archiver/quartz', 0)); SET lock_timeout = 0";

    private const string Exists = "SELECT to_regnamespace('archiver_quartz') IS NOT NULL";

    private readonly ConcurrentDictionary<string, (StandaloneSchedulerFactory Factory, IScheduler Scheduler)> _started = new(
        StringComparer.Ordinal
    );

    /// <summary>The source's cluster, or null while this worker has not joined it.</summary>
    public IScheduler? Of(string source) => _started.TryGetValue(source, out var joined) ? joined.Scheduler : null;

    /// <summary>
    /// Joins the source's cluster when its server answers, however long that takes; jobs are brought up to date before it fires any.
    /// </summary>
    public async Task StartAsync(SourceSettings source, Func<IScheduler, Task> register, CancellationToken cancellationToken)
    {
        for (var pause = TimeSpan.FromSeconds(1); ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            await servers.UntilReadyAsync(source, cancellationToken);
            try
            {
                await JoinAsync(source, register, cancellationToken);
                readiness.Set(source.Name, ready: true);
                return;
            }
            catch (Exception exception)
                when (exception
                        is SchedulerException
                            or DbException
                            or ArchiverException
                            or TimeoutException
                            or IOException
                            or SocketException
                    && !cancellationToken.IsCancellationRequested
                )
            {
                // A scheduler that failed once is of no more use; the next attempt makes another.
                readiness.Set(source.Name, ready: false);
                logger.ClusterNotJoined(exception, source.Name);
            }
            await Task.Delay(pause, time, cancellationToken);
        }
    }

    /// <summary>Leaves the clusters; running jobs are cancelled and waited for, and handed to other workers.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var (_, scheduler) in _started.Values)
            await scheduler.Shutdown(waitForJobsToComplete: true, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (factory, _) in _started.Values)
            await factory.DisposeAsync();
        _started.Clear();
    }

    private async Task JoinAsync(SourceSettings source, Func<IScheduler, Task> register, CancellationToken cancellationToken)
    {
        // Its end is the lock's end, also when joining fails: on a connection of the pool the lock would wait there for the next user.
        await using var connection = await connections[source.Name].OpenDirectAsync(cancellationToken);
        await connection.ExecuteAsync(OneAtATime, cancellationToken);
        await CreateSchemaAsync(connection, cancellationToken);
        var factory = Build(source);
        try
        {
            var scheduler = await factory.GetScheduler(cancellationToken);
            await register(scheduler);
            await scheduler.Start(cancellationToken);
            _started[source.Name] = (factory, scheduler);
        }
        catch
        {
            await factory.DisposeAsync();
            throw;
        }
    }

    private async Task CreateSchemaAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (await connection.ScalarAsync<bool>(Exists, cancellationToken))
            return;
        if (!settings.AutoMigrate)
            throw new ArchiverException(
                FailureKind.Refused,
                $"Schema {Schema} for the clustered schedule does not exist, and "
                    + "Archiver:AutoMigrate is false: run sql/quartz/schema.sql as an administrator."
            );
        using var script = new StreamReader(typeof(ClusteredSchedule).Assembly.GetManifestResourceStream("sql.quartz.schema.sql")!);
        await connection.ExecuteAsync(await script.ReadToEndAsync(cancellationToken), cancellationToken);
    }

    private StandaloneSchedulerFactory Build(SourceSettings source) =>
        QuartzSchedulerBuilder
            .Create(quartz =>
            {
                quartz
                    .Services.AddSingleton(loggers)
                    .AddSingleton(runs)
                    .AddTransient<PolicyJob>()
                    .AddTransient<DiscardJob>()
                    .AddTransient<ProofJob>();
                quartz.ConfigureScheduler(scheduler =>
                {
                    // The cluster's name: every worker of the source has the same.
                    scheduler.InstanceName = $"archiver/{source.Name}";
                    scheduler.IdleWaitTime = TimeSpan.FromSeconds(10);
                    scheduler.ShutdownJobInterruption = ShutdownJobInterruption.Always;
                });
                quartz.UseDefaultThreadPool(
                    Math.Max(10, (source.Policies.Count * settings.Schedule.Shards) + 1 + Enum.GetValues<Core.Proofs.Proof>().Length)
                );
                quartz.UsePersistentStore(store =>
                {
                    store.ConfigureStore(options =>
                    {
                        options.TablePrefix = Schema + ".qrtz_";
                        options.StoreJobDataAsStrings = true;
                        options.CommandTimeout = TimeSpan.FromSeconds(15);
                        options.RecoverFiringsCancelledByShutdown = true;
                        options.SchemaProvisioning = SchemaProvisioning.CreateIfMissing;
                    });
                    store.UsePostgres(
                        (DataSourceOptions options) => options.DataSourceFactory = _ => SourceConnections.BuildForSchedule(source)
                    );
                    store.UseSystemTextJsonSerializer();
                    store.UseClustering();
                });
            })
            .Build();
}
