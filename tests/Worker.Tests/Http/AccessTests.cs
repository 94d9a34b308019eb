using System.Net;
using System.Net.Http.Headers;
using Archiver.Testing;
using static Archiver.Worker.Tests.Http.KnownRoutes;

namespace Archiver.Worker.Tests.Http;

/// <summary>Who may ask what.</summary>
public sealed class AccessTests(HttpFixture fixture, TestServers servers) : IClassFixture<HttpFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_key_configured_only_health_is_there()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);

        foreach (var route in Routes)
            Assert.Equal(
                HttpStatusCode.NotFound,
                (
                    await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, route.Replace("ID", "x", StringComparison.Ordinal)), Token)
                ).StatusCode
            );
        Assert.Equal(HttpStatusCode.OK, await worker.GetAsync("/health/live", Token));
    }

    [Fact]
    public async Task Without_the_right_key_every_route_gives_one_and_the_same_answer()
    {
        AuthenticationHeaderValue?[] wrong =
        [
            null,
            new("Bearer", "wrong"),
            new("Bearer", HttpFixture.Key + "x"),
            new("Bearer", HttpFixture.Key[..^1]),
            new("Token", HttpFixture.Key),
            HttpFixture.Basic("wrong"),
            HttpFixture.Basic(""),
            new("Basic", "%%%"),
            new("Basic", HttpFixture.Key),
        ];
        var bodies = new HashSet<string>();
        foreach (var (route, number) in Routes.Select((r, i) => (r, i)))
        {
            // From an address each: wrong keys are counted by address.
            using var client = fixture.Worker.ClientFrom(IPAddress.Parse($"127.1.0.{number + 1}"));
            foreach (var authorization in wrong)
            {
                foreach (var method in new[] { HttpMethod.Get, HttpMethod.Post, HttpMethod.Delete })
                {
                    var request = new HttpRequestMessage(method, route.Replace("ID", fixture.Archived[0], StringComparison.Ordinal))
                    {
                        Headers = { Authorization = authorization },
                    };
                    using var response = await client.SendAsync(request, Token);
                    Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
                    Assert.Contains(response.Headers.WwwAuthenticate, h => h.Scheme == "Basic");
                    bodies.Add(await response.Content.ReadAsStringAsync(Token));
                }
            }
        }
        Assert.Single(bodies);
        await fixture.Worker.LoggedAsync(7000, Token);
        Assert.DoesNotContain(HttpFixture.Key, fixture.Worker.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(fixture.Archived[0], fixture.Worker.Log, StringComparison.Ordinal);
        Assert.Equal(
            12,
            await fixture.Archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'")
        );
    }

    [Fact]
    public async Task The_key_opens_as_bearer_and_as_password_of_any_user()
    {
        Assert.Equal(
            HttpStatusCode.OK,
            (await fixture.Worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, "/archives"), Token)).StatusCode
        );
        Assert.Equal(
            HttpStatusCode.OK,
            (
                await fixture.Worker.SendAsync(
                    new(HttpMethod.Get, "/") { Headers = { Authorization = HttpFixture.Basic(HttpFixture.Key) } },
                    Token
                )
            ).StatusCode
        );
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await fixture.Worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, "/nothing"), Token)).StatusCode
        );
    }

    [Fact]
    public async Task The_key_for_metrics_opens_metrics_and_nothing_else()
    {
        const string MetricsKey = "a-key-for-prometheus";
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await using var both = await RunningWorker.InvokeAsync(
            archiver.With("Http:MetricsKey", MetricsKey).With("Http:ApiKey", HttpFixture.Key),
            Token
        );
        await using var metrics = await RunningWorker.InvokeAsync(archiver.With("Http:ApiKey", null), Token);

        foreach (var (worker, others) in new[] { (both, HttpStatusCode.Unauthorized), (metrics, HttpStatusCode.NotFound) })
        {
            foreach (var route in Routes)
            {
                using var answer = await worker.SendAsync(
                    new(HttpMethod.Get, route.Replace("ID", "x", StringComparison.Ordinal))
                    {
                        Headers = { Authorization = new("Bearer", MetricsKey) },
                    },
                    Token
                );
                Assert.Equal((route, route == "/metrics" ? HttpStatusCode.OK : others), (route, answer.StatusCode));
            }
            Assert.Equal(HttpStatusCode.Unauthorized, await worker.GetAsync("/metrics", Token));
            Assert.DoesNotContain(MetricsKey, worker.Log, StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.OK, (await both.SendAsync(HttpFixture.Bearer(HttpMethod.Get, "/metrics"), Token)).StatusCode);
    }

    [Theory]
    [InlineData(null, null, HttpStatusCode.Forbidden)]
    [InlineData("Origin", "https://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("Origin", "null", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "cross-site", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "same-site", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "none", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "same-origin", HttpStatusCode.SeeOther)]
    [InlineData("Origin", "self", HttpStatusCode.SeeOther)]
    public async Task A_form_is_taken_from_our_own_page_only(string? header, string? value, HttpStatusCode expected)
    {
        var request = HttpFixture.Form("/actions/resume", ("policy", "main/idle"));
        if (header is not null)
            request.Headers.Add(header, value == "self" ? fixture.Worker.Address.GetLeftPart(UriPartial.Authority) : value);

        Assert.Equal(expected, (await fixture.Worker.SendAsync(request, Token)).StatusCode);
    }

    [Fact]
    public async Task Every_answer_forbids_foreign_content_and_caching()
    {
        using var page = await fixture.Worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, "/"), Token);
        using var list = await fixture.Worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, "/archives"), Token);
        using var absent = await fixture.Worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, "/nothing"), Token);
        using var refused = await fixture.Worker.SendAsync(new(HttpMethod.Get, "/"), Token);

        foreach (var response in new[] { page, list, absent, refused })
        {
            var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'", policy, StringComparison.Ordinal);
            Assert.Contains("; frame-ancestors 'none'; base-uri 'none'", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
            Assert.True(response.Headers.CacheControl!.NoStore);
            Assert.False(response.Headers.Contains("Server"));
        }
    }

    /// <summary>Not even the right key is compared then: the answers would still tell it from the others.</summary>
    [Fact]
    public async Task Compares_no_more_keys_from_an_address_that_has_tried_many()
    {
        using var guesser = fixture.Worker.ClientFrom(IPAddress.Parse("127.2.0.1"));
        using var other = fixture.Worker.ClientFrom(IPAddress.Parse("127.2.0.2"));
        async Task<HttpStatusCode> TryAsync(HttpClient client, string key)
        {
            using var response = await client.SendAsync(
                new(HttpMethod.Get, "/archives") { Headers = { Authorization = new("Bearer", key) } },
                Token
            );
            return response.StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, await TryAsync(guesser, HttpFixture.Key));
        for (var i = 0; i < Worker.Http.Guesses.Allowed; i++)
            Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(guesser, $"wrong {i}"));

        Assert.Equal(HttpStatusCode.TooManyRequests, await TryAsync(guesser, "wrong"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await TryAsync(guesser, HttpFixture.Key));
        Assert.Equal(HttpStatusCode.OK, await TryAsync(other, HttpFixture.Key));
        Assert.Equal(HttpStatusCode.OK, await fixture.Worker.GetAsync("/health/live", Token));
    }
}
