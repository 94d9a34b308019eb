using Amazon.S3.Model;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Proof;

/// <summary>
/// Looks, with plain SQL and into the bucket, whether it is so when a verb says that it is complete, or that it destroyed nothing.
/// </summary>
internal sealed class ProofClaims(Installation archiver)
{
    /// <summary>Times that a completion was looked at.</summary>
    public int Completions { get; private set; }

    /// <summary>Objects that had to stay, because they are held or foreign, and were looked for.</summary>
    public int Kept { get; private set; }

    /// <summary>Keys of all objects that hold something of a session.</summary>
    public async Task<IReadOnlyList<string>> ObjectsAsync(string session, CancellationToken cancellationToken) =>
        await archiver.Database.ScalarAsync<string[]>(
            $"SELECT array_agg(DISTINCT o.key) FROM archiver.objects AS o WHERE o.members @> ARRAY['{session}'] AND o.state = 'stored'",
            cancellationToken
        ) ?? [];

    /// <summary>After <c>erase</c> said complete: no row, no archive, and no version of an object that held it.</summary>
    public async Task ErasedAsync(string session, IReadOnlyList<string> objects, TestBucket bucket, CancellationToken cancellationToken)
    {
        Completions++;
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>(
                $"""
                SELECT (SELECT count(*) FROM chat_sessions WHERE session_id = '{session}') + (SELECT count(*) FROM chat_messages
                  WHERE session_id = '{session}')
                  + (SELECT count(*) FROM archiver.archives WHERE session_id = '{session}' AND state <> 'erased')
                """,
                cancellationToken
            )
        );
        foreach (var key in objects)
        {
            var versions = await bucket.Client.ListVersionsAsync(
                new ListVersionsRequest { BucketName = bucket.Name, Prefix = key },
                cancellationToken
            );
            Assert.DoesNotContain(versions.Versions ?? [], v => v.Key == key);
        }
    }

    /// <summary>
    /// After <c>restore</c> said done: the archiver put the session's row into the table, whatever the application has done with it since.
    /// </summary>
    public async Task RestoredAsync(IReadOnlyList<string> sessions, CancellationToken cancellationToken)
    {
        Completions += sessions.Count;
        foreach (var session in sessions)
        {
            Assert.True(
                await archiver.Database.ScalarAsync<bool>(
                    $"SELECT EXISTS (SELECT FROM shadow.versions WHERE tab = 'session' AND key = '{session}' AND op = 'I' AND "
                        + "starts_with(who, 'archiver'))",
                    cancellationToken
                )
            );
        }
    }

    /// <summary>After something was refused: every object is where it was.</summary>
    public async Task UntouchedAsync(IReadOnlyList<string> objects, TestBucket bucket, CancellationToken cancellationToken)
    {
        Assert.NotEmpty(objects);
        Kept += objects.Count;
        Assert.Empty(objects.Except(await bucket.ListKeysAsync(cancellationToken: cancellationToken)));
    }
}
