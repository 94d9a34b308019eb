using System.IO.Compression;
using System.Text;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>An archiver with archives and live sessions of two users, of whom one is to be erased.</summary>
public abstract class ErasureScenario(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected const string User = "user-to-forget";

    private protected static readonly string[] LedgerTables =
    [
        "archives",
        "objects",
        "quarantine",
        "runs",
        "proofs",
        "audit",
        "holds",
        "erasures",
    ];

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Six archived sessions and two live ones; two of the one and one of the other are the user's.</summary>
    private protected async Task<ArchiverFixture> ArchivedAsync(
        string where,
        TemporaryFolder? folder,
        bool versioned = false,
        bool objectLock = false
    )
    {
        var archiver = await ArchiverFixture.CreateAsync(
            Servers,
            Token,
            idle: 6,
            young: 2,
            messages: 2,
            versioned: versioned,
            objectLock: objectLock,
            configure: s =>
                s with
                {
                    Storage = where switch
                    {
                        "folder" => new() { Provider = StorageProvider.File, Path = folder!.Path },
                        "bundle" => s.Storage with { Layout = StorageLayout.Bundle },
                        _ => s.Storage,
                    },
                    Sources = [s.Sources[0] with { Keep = ["user_id"] }],
                }
        );
        await archiver.Database.ExecuteAsync(
            $"""
            WITH n AS (SELECT session_id, row_number() OVER (PARTITION BY last_activity < now() - interval '90 days'
              ORDER BY session_id) AS n,
                              last_activity < now() - interval '90 days' AS idle FROM chat_sessions)
            UPDATE chat_sessions AS s SET user_id = CASE WHEN n.n <= CASE WHEN n.idle THEN 2 ELSE 1 END THEN '{User}' ELSE 'somebody' END
            FROM n WHERE n.session_id = s.session_id
            """,
            Token
        );
        Assert.Equal(6, (await archiver.RunAsync(Token)).Sessions);
        return archiver;
    }

    private protected static async Task<string[]> SessionsOfUserAsync(ArchiverFixture archiver) =>
        (
            await archiver.Database.CopyOutAsync(
                $"SELECT session_id FROM archiver.archives WHERE user_id = '{User}' UNION SELECT session_id::text FROM chat_sessions WHERE "
                    + $"user_id = '{User}' ORDER BY 1"
            )
        )
            .TrimEnd()
            .Split('\n');

    private protected static async Task<string> ShowAsync(ArchiverFixture archiver, string session)
    {
        using var json = new MemoryStream();
        var archive = await new ArchiveLocator(archiver.Catalog).FindAsync("main", session, null, Token);
        await new ArchiveDownloader(archiver.Store, archiver.Catalog, archiver.Settings).CopyJsonAsync(archive!, json, Token);
        return Encoding.UTF8.GetString(json.ToArray());
    }

    /// <summary>Tables, ledger, keys and every object unpacked, as one text to search.</summary>
    private protected static async Task<string> EverythingAsync(ArchiverFixture archiver, TemporaryFolder? folder)
    {
        var text = new StringBuilder(
            await archiver.Database.CopyOutAsync("SELECT * FROM chat_sessions ORDER BY 1")
                + await archiver.Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id")
        );
        foreach (var table in LedgerTables)
            text.Append(await archiver.Database.CopyOutAsync($"SELECT * FROM archiver.{table} ORDER BY 1, 2"));
        await foreach (var listed in archiver.Store.ListAsync("", Token))
        {
            await using var body = await archiver.Store.OpenAsync(new(listed.Key), Token);
            await using var gzip = new GZipStream(body!, CompressionMode.Decompress);
            using var reader = new StreamReader(gzip, Encoding.UTF8);
            text.AppendLine(listed.Key)
                .AppendLine(listed.Key.Contains("probe", StringComparison.Ordinal) ? "" : await reader.ReadToEndAsync(Token));
        }
        foreach (var file in folder is null ? [] : Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories))
            text.AppendLine(file);
        return text.ToString();
    }

    private protected static Task PutAsync(
        ArchiverFixture archiver,
        string key,
        byte[] bytes,
        IReadOnlyDictionary<string, string> metadata
    ) => archiver.Bucket.PutAsync(key, bytes, metadata, Token);

    /// <summary>Puts an object's bytes under another key, with what is kept beside them.</summary>
    private protected static async Task CopyAsync(ArchiverFixture archiver, string from, string to) =>
        await PutAsync(
            archiver,
            to,
            await archiver.Bucket.GetRawAsync(from, Token),
            (await archiver.Store.HeadAsync(new(from), Token))!.Metadata
        );

    /// <summary>The key of an object in which an archive of the user lies.</summary>
    private protected static async Task<string> KeyOfUserAsync(ArchiverFixture archiver) =>
        (
            await archiver.Database.ScalarAsync<string>(
                $"SELECT min(o.key) FROM archiver.objects o JOIN archiver.archives a ON a.object_id = o.id WHERE a.user_id = '{User}'"
            )
        )!;

    private protected sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("archiver-test-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
