using System.Text.Json;
using Archiver.Testing;
using Archiver.Worker.Tests.Http;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>An installation with archives to be proven.</summary>
public abstract class ProofScenario(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected const string EverySecond = "* * * * * ?",
        EveryYear = "0 0 2 1 1 ?";
    private protected const int Done = 4000,
        Found = 4001,
        Skipped = 4002,
        Failed = 4003,
        Stopped = 4004;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected async Task<Installation> ArchivedAsync(int idle, int young = 0)
    {
        var archiver = await Installation.CreateAsync(Servers, Token, idle: idle, young: young);
        archiver.With("Sources:main:Policies:idle:Cron", EveryYear);
        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error);
        return archiver;
    }

    private protected static List<JsonElement> Events(RunningWorker worker, int id) =>
        [.. worker.Events.Where(e => e.TryGetProperty("@i", out var i) && i.GetInt32() == id)];

    private protected static async Task<string> LedgerAsync(Installation archiver) =>
        await archiver.Database.CopyOutAsync("SELECT * FROM archiver.archives ORDER BY id")
        + await archiver.Database.CopyOutAsync("SELECT * FROM archiver.objects ORDER BY id");

    private protected static JsonElement Proof(ProcessResult status) =>
        Assert.Single(JsonDocument.Parse(status.Output).RootElement[0].GetProperty("proofs").EnumerateArray());

    private protected static async Task<string> ReadAsync(RunningWorker worker, string path)
    {
        using var response = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, path), Token);
        return await response.Content.ReadAsStringAsync(Token);
    }

    private protected static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Token);
    }
}
