using Archiver.Core.Configuration;

namespace Archiver.Core.Tests.Configuration;

public sealed class AllProblemsAtOnceTests
{
    [Fact]
    public void Lists_every_problem_with_path_limit_and_value_seen()
    {
        var message = Configured
            .Json(
                """
                {
                  "Sources": {
                    "main": {
                      "ConnectionString": "Host=db;Pasword=hunter2", "Preset": "ended", "Prefix": "/chats/",
                      "Policies": { "idle": { "Action": "Archiv", "IdleFor": "0d", "Idlefro": "90d" }, "none": { "Action": "Purge" } }
                    },
                    "other": { "ConnectionString": "Host=db", "Preset": "soft-delete",
                      "Policies": { "end": { "Action": "Expire", "EndedFor": "90" } } }
                  },
                  "Storage": { "Endpoint": "minio:9000", "SecretKey": "hunter2", "Timeout": "0s", "Verify": "Never" },
                  "Batch": { "Rows": 0, "Bytes": "64" },
                  "Safety": { "MaxShare": 25 },
                  "Schedule": { "TimeZone": "Mars/Olympus" },
                  "Batches": { "Rows": 1 }
                }
                """
            )
            .Message();

        Assert.Equal(
            $"""
            The configuration has 21 problems:
            Archiver:Batches: is not a known key; did you mean 'Batch'?
            Archiver:Sources:main:Policies:idle:Idlefro: is not a known key; did you mean 'IdleFor'?
            Archiver:Storage:Endpoint: must be an absolute http or https URL without credentials and query, such as https://minio:9000, but is 'minio:9000'
            Archiver:Storage:Timeout: must be above zero, but is '0s'
            Archiver:Storage:Verify: must be one of ReadBack, TrialRestore, but is 'Never'
            Archiver:Storage:Bucket: is required for provider S3
            Archiver:Storage:AccessKey: is required together with SecretKey; give both or neither (then the AWS credential chain is used)
            Archiver:Sources:main:Preset: must be one of {Presets.List}, but is 'ended'
            Archiver:Sources:main:ConnectionString: must be a connection string of Npgsql, such as Host=db;Database=chat;Username=archiver (value not shown)
            Archiver:Sources:main:Prefix: must be without slashes at its ends, but is '/chats/'
            Archiver:Sources:main:Policies:idle:Action: must be one of Archive, Purge, Expire, but is 'Archiv'
            Archiver:Sources:main:Policies:idle:IdleFor: must be above zero, but is '0d'
            Archiver:Sources:main:Policies:none:IdleFor: is required unless EndedFor, DeletedFor or ExpiredFor is given; there is no default age
            Archiver:Sources:other:Policies:end:EndedFor: must be a whole number and a unit (ms, s, m, h, d or y), such as 90d, but is '90'
            Archiver:Sources:other:Policies:end:EndedFor: needs the role Ended, which the source does not map
            Archiver:Sources:other:Policies:end:ExpiredFor: is required for action Expire unless IdleFor is given
            Archiver:Sources:other:Policies:end:Action: Expire needs the role Status, which the source does not map
            Archiver:Batch:Rows: must be a whole number from 1 to 2147483647, but is '0'
            Archiver:Batch:Bytes: must be a whole number and a unit (B, kB, MB, GB, KiB, MiB or GiB), such as 64MiB, but is '64'
            Archiver:Safety:MaxShare: must be a number above 0 and at most 1, such as 0.25, but is '25'
            Archiver:Schedule:TimeZone: must be a time zone of this system, such as UTC or Europe/Berlin, but is 'Mars/Olympus'
            """,
            message
        );
    }

    [Fact]
    public void Says_one_problem_of_one() =>
        Assert.Equal(
            "The configuration has 1 problem:\nArchiver:Batch:Rows: must be a whole number from 1 to 2147483647, but is '0'",
            Configured.With("Batch:Rows", "0").Message()
        );
}
