using Xunit;

namespace Archiver.Core.Tests.Configuration;

public sealed class AllProblemsAtOnceTests
{
    [Fact]
    public void Lists_every_problem_with_path_limit_and_value_seen()
    {
        var message = Configured.Json("""
            {
              "Sources": {
                "main": {
                  "ConnectionString": "Host=db;Pasword=hunter2", "Preset": "ended", "Prefix": "/chats/",
                  "Policies": { "idle": { "Action": "Archiv", "IdleFor": "0d", "Idlefro": "90d" }, "none": { "Action": "Purge" } }
                },
                "other": { "ConnectionString": "Host=db", "Preset": "soft-delete", "Policies": { "end": { "Action": "Expire", "EndedFor": "90" } } }
              },
              "Storage": { "Endpoint": "minio:9000", "SecretKey": "hunter2", "Timeout": "0s", "Verify": "Never" },
              "Batch": { "Rows": 0, "Bytes": "64" },
              "Safety": { "MaxShare": 25 },
              "Schedule": { "TimeZone": "Mars/Olympus" },
              "Batches": { "Rows": 1 }
            }
            """).Message();

        Assert.Equal(
            """
            The configuration has 20 problems:
            Archiver:Batches: is not a known key; did you mean 'Batch'?
            """,
            message);
    }

    [Fact]
    public void Says_one_problem_of_one() =>
        Assert.Equal("The configuration has 1 problem:\nArchiver:Batch:Rows: must be a whole number from 1 to 2147483647, but is '0'",
            Configured.With("Batch:Rows", "0").Message());
}
