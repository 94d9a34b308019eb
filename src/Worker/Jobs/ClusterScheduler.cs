using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>
/// Makes this worker's scheduler in the cluster of a source, with its store: the schema <c>archiver_quartz</c> of the source's database.
/// </summary>
internal sealed class ClusterScheduler(
    ArchiverSettings settings,
    ConnectionCatalog connections,
    SourceRuns runs,
    SourceSchedule schedule,
    ILoggerFactory loggers
)
{
    public const string Schema = "archiver_quartz";

    // Two workers that start together would both create the same tables, or each add what the other removes. Bounded: one that waits is not
    // ready, and tries again.
    private const string OneAtATime =
        "SET lock_timeout = '60s'; SELECT pg_advisory_lock(hashtextextended('archiver/quartz', 0)); SET lock_timeout = 0";

    private const string Exists = "SELECT to_regnamespace('archiver_quartz') IS NOT NULL";

    /// <summary>A scheduler that is started; the store's jobs were brought up to date before it fires any.</summary>
    public async Task<(StandaloneSchedulerFactory Factory, IScheduler Scheduler)> JoinAsync(
        SourceSettings source,
        CancellationToken cancellationToken
    )
    {
        // Its end is the lock's end, also when joining fails: on a connection of the pool the lock would wait there for the next user.
        await using var connection = await connections[source.Name].OpenDirectAsync(cancellationToken);
        await connection.ExecuteAsync(OneAtATime, cancellationToken);
        await CreateSchemaAsync(connection, cancellationToken);
        var factory = Build(source);
        try
        {
            var scheduler = await factory.GetScheduler(cancellationToken);
            await schedule.ScheduleAsync(scheduler, source, cancellationToken);
            await scheduler.Start(cancellationToken);
            return (factory, scheduler);
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
        using var script = new StreamReader(typeof(ClusterScheduler).Assembly.GetManifestResourceStream("sql.quartz.schema.sql")!);
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
