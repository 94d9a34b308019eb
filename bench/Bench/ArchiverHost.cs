using Archiver.Core;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Archiver.Bench;

/// <summary>The archiver inside this process, warm, as the always-on worker has it: default settings except for where things are.</summary>
internal sealed class ArchiverHost : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public ArchiverHost(BenchEnvironment environment, string connectionString, string prefix, StorageLayout layout)
    {
        Source = new SourceSettings
        {
            Name = "main",
            ConnectionString = connectionString,
            Prefix = prefix,
            Map = Presets.Get("ended-at").Map,
            Policies =
            [
                new Policy
                {
                    Source = "main",
                    Name = "idle",
                    Action = PolicyAction.Archive,
                    IdleFor = TimeSpan.FromDays(90),
                },
            ],
        };
        var settings = new ArchiverSettings
        {
            Sources = [Source],
            Storage = new StorageSettings
            {
                Endpoint = environment.S3,
                Bucket = environment.Bucket,
                AccessKey = environment.AccessKey,
                SecretKey = environment.SecretKey,
                PathStyle = true,
                Prefix = prefix,
                Layout = layout,
            },
            Safety = new SafetySettings { MaxShare = 1 },
        };
        _services = new ServiceCollection().AddLogging().AddArchiverCore(settings).BuildServiceProvider();
    }

    public SourceSettings Source { get; }

    /// <summary>One of the archiver's services.</summary>
    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Archives up to so many sessions; anything but success is an error.</summary>
    public async Task<RunSummary> ArchiveAsync(long? most, CancellationToken cancellationToken)
    {
        var summary = await Get<PolicyRunner>().RunAsync(new RunRequest(Source, Source.Policies[0], most), null, cancellationToken);
        return summary is { Outcome: RunOutcome.Done, Skipped: 0, Failed: 0 }
            ? summary
            : throw new InvalidOperationException($"The run was {summary.Outcome}: {summary.Error} {string.Join(", ", summary.Reasons)}");
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
