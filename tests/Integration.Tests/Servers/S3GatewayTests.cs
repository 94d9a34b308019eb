using Archiver.Testing;

namespace Archiver.Integration.Tests.Servers;

public sealed class S3GatewayTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keeps_objects_through_a_kill_and_answers_late_after_a_pause()
    {
        await using var gateway = await S3Gateway.StartAsync(Token);
        await using var bucket = await TestBucket.CreateAsync(gateway, Token);
        await bucket.PutRawAsync("key", [42], Token);

        await gateway.KillAsync(Token);
        // The first when a new connection is refused, the second when the one of the put is taken again.
        Assert.True(await Record.ExceptionAsync(() => bucket.GetRawAsync("key", Token)) is HttpRequestException or IOException);
        await gateway.StartAgainAsync(Token);
        Assert.Equal([42], await bucket.GetRawAsync("key", Token));

        await gateway.PauseAsync(Token);
        var late = bucket.GetRawAsync("key", Token);
        Assert.False(late.IsCompleted);
        await gateway.ResumeAsync(Token);
        Assert.Equal([42], await late);
    }

    [Fact]
    public async Task Ends_with_its_folder_when_disposed()
    {
        var gateway = await S3Gateway.StartAsync(Token);
        using var http = new HttpClient();
        Assert.True((await http.GetAsync(gateway.Address.Endpoint, Token)).IsSuccessStatusCode);

        await gateway.DisposeAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(gateway.Address.Endpoint, Token));
        Assert.False(Directory.Exists(gateway.Folder));
    }
}
