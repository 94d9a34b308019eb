using System.Net.Http.Headers;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Http;

/// <summary>
/// A worker with a key over sessions of which some are archived, for all tests of a class. Its policy runs only when asked.
/// </summary>
public sealed class HttpFixture(TestServers servers) : IAsyncLifetime
{
    /// <summary>The worker's key; also a text that must never reach a log.</summary>
    public const string Key = "correct-horse-battery-staple";

    /// <summary>Text of each session's first message: what a page must show and never obey.</summary>
    public const string Markup =
        "<script>document.title = 'hacked'</script><img src=x onerror=\"document.title = 'hacked'\"> & <b>bold</b>";

    private Installation? _archiver;
    private RunningWorker? _worker;
    private ExceptionDispatchInfo? _failure;

    internal Installation Archiver => Started(_archiver);

    internal RunningWorker Worker => Started(_worker);

    /// <summary>Ids of the archived sessions.</summary>
    public IReadOnlyList<string> Archived { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        try
        {
            _archiver = await Installation.CreateAsync(servers, TestContext.Current.CancellationToken, idle: 20, young: 5, messages: 6);
            _archiver.With("Http:ApiKey", Key).With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?");
            await _archiver.Database.ExecuteAsync(
                $"UPDATE chat_messages SET content = '{Markup.Replace("'", "''", StringComparison.Ordinal)}' WHERE id IN (SELECT min(m.id) "
                    + "FROM chat_messages AS m GROUP BY m.session_id)"
            );
            var archived = await _archiver.RunAsync("archive", "--max-sessions", "12");
            Assert.True(archived.ExitCode == 0, archived.Error);
            Archived =
            [
                .. JsonDocument
                    .Parse((await _archiver.RunAsync("list", "--json")).Output)
                    .RootElement.EnumerateArray()
                    .Select(a => a.GetProperty("session_id").GetString()!),
            ];
            _worker = await RunningWorker.InvokeAsync(_archiver, TestContext.Current.CancellationToken);
            await Eventually.TrueAsync(
                () => _worker.IsReadyAsync(TestContext.Current.CancellationToken),
                TestContext.Current.CancellationToken
            );
        }
        catch (Exception e)
        {
            // xUnit takes a skip for a failure when a fixture throws it, so the tests throw it.
            _failure = ExceptionDispatchInfo.Capture(e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_worker is not null)
            await _worker.DisposeAsync();
        if (_archiver is not null)
            await _archiver.DisposeAsync();
    }

    /// <summary>A request with the key as a program sends it.</summary>
    internal static HttpRequestMessage Bearer(HttpMethod method, string path, string? json = null)
    {
        var request = new HttpRequestMessage(method, path) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", Key) } };
        if (json is not null)
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        return request;
    }

    /// <summary>A form with the key as a browser sends it.</summary>
    internal static HttpRequestMessage Form(string path, params (string Name, string Value)[] fields) =>
        new(HttpMethod.Post, path)
        {
            Headers = { Authorization = Basic(Key) },
            Content = new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value))),
        };

    internal static AuthenticationHeaderValue Basic(string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{password}")));

    private T Started<T>(T? part)
        where T : class
    {
        _failure?.Throw();
        return part ?? throw new InvalidOperationException("InitializeAsync has not run.");
    }
}
