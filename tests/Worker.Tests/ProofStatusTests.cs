using System.Text.Json;
using Archiver.Testing;
using Archiver.Worker.Tests.Http;

namespace Archiver.Worker.Tests;

/// <summary>What status tells of proofs, of what is kept and of what it costs.</summary>
public sealed class ProofStatusTests(TestServers servers) : ProofScenario(servers)
{
    [Fact]
    public async Task A_source_that_is_renamed_keeps_its_proofs_and_its_requests()
    {
        await using var archiver = await ArchivedAsync(idle: 2);
        await archiver.Database.ExecuteAsync(
            """
            INSERT INTO archiver.proofs (source, proof, state, worker, position)
              VALUES ('main', 'verify', 'done', 'w', 7), ('chat', 'verify', 'done', 'w', 1);
            UPDATE archiver.store_requests SET requests = 40; INSERT INTO archiver.store_requests (source, requests) VALUES ('chat', 2)
            """
        );

        var renamed = await archiver.RenameSource("main", "chat").RunAsync("source", "rename", "main", "chat");

        Assert.True(renamed.ExitCode == 0, renamed.Error);
        Assert.Equal(
            "chat 7",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(source || ' ' || position, ', ') FROM archiver.proofs")
        );
        Assert.Equal(
            "chat 42",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(source || ' ' || requests, ', ') FROM archiver.store_requests")
        );
    }

    [Fact]
    public async Task Status_shows_what_is_kept_and_asked_for_and_with_prices_what_that_costs()
    {
        await using var archiver = await ArchivedAsync(idle: 4);
        var bytes = await archiver.Database.ScalarAsync<long>("SELECT sum(length)::bigint FROM archiver.objects");

        var plain = Cost(await archiver.RunAsync("status", "--json"));
        Assert.Equal((bytes, 4), (plain.GetProperty("bytes").GetInt64(), plain.GetProperty("objects").GetInt32()));
        // Each session is put and read back; what the probes ask comes on top.
        var requests = plain.GetProperty("requests").GetInt64();
        Assert.InRange(requests, 8, 60);
        Assert.Equal(JsonValueKind.Null, plain.GetProperty("storage_a_month").ValueKind);
        Assert.Matches(@"kept: \S+ \w+ in 4 objects; \d+ requests since \d{4}-\d\d-\d\d\n", (await archiver.RunAsync("status")).Output);

        archiver
            .With("Cost:PricePerGBMonth", "1000000")
            .With("Cost:PricePer1000Requests", "5")
            .With("Cost:Currency", "EUR")
            .With("Http:ApiKey", HttpFixture.Key);
        var priced = Cost(await archiver.RunAsync("status", "--json"));
        Assert.Equal(
            (Math.Round(bytes / 1000m, 4), Math.Round(requests * 0.005m, 4)),
            (priced.GetProperty("storage_a_month").GetDecimal(), priced.GetProperty("requests_in_all").GetDecimal())
        );
        var line = FormattableString.Invariant($"about {bytes / 1000m:0.00} EUR a month");
        Assert.Contains(line, (await archiver.RunAsync("status")).Output, StringComparison.Ordinal);
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        Assert.Contains(line, await ReadAsync(worker, "/"), StringComparison.Ordinal);
        Assert.Matches($"archiver_kept_size_bytes{{source=\"main\"}} {bytes}\n", await ReadAsync(worker, "/metrics"));
    }

    private static JsonElement Cost(ProcessResult status) => JsonDocument.Parse(status.Output).RootElement[0].GetProperty("cost");
}
