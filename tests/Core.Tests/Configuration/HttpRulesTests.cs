using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

public sealed class HttpRulesTests
{
    [Theory]
    [InlineData("127.0.0.1:8080")]
    [InlineData("http://a:8080;")]
    [InlineData("http://a, http://b")]
    [InlineData("unix:/tmp/x")]
    public void Refuses_what_no_server_can_listen_on(string value) =>
        With("Http:Urls", value).Refused($"Http:Urls: must be http URLs separated by ';', such as http://127.0.0.1:8080, but is '{value}'");

    [Theory]
    [InlineData("http://0.0.0.0:8080")]
    [InlineData("http://*:8080;http://[::1]:80")]
    [InlineData("http://+:8080")]
    public void Takes_the_addresses_of_the_server(string value) => Assert.Equal(value, With("Http:Urls", value).Settings().Http.Urls);

    [Fact]
    public void Refuses_an_empty_api_key_because_it_would_let_everybody_in() =>
        With("Http:ApiKey", "").Refused("Http:ApiKey: must not be empty");

    [Fact]
    public void An_api_key_that_can_be_guessed_is_refused() =>
        With("Http:ApiKey", "0123456789abcde")
            .Refused(
                "Http:ApiKey: must have at least 16 characters, or it could be guessed; openssl "
                    + "rand -hex 32 makes a good one (value not shown)"
            );

    [Fact]
    public void Refuses_a_key_for_metrics_that_opens_everything() =>
        With("Http:ApiKey", "0123456789abcdef")
            .And("Http:MetricsKey", "0123456789abcdef")
            .Refused("Http:MetricsKey: must differ from ApiKey, which opens everything (value not shown)");

    [Theory]
    [InlineData("https://0.0.0.0:8443")]
    [InlineData("http://127.0.0.1:8080;HTTPS://*:8443")]
    public void Refuses_to_listen_with_tls_and_says_why(string urls) =>
        With("Http:Urls", urls)
            .Refused(
                "Http:Urls: must not be https: the worker has no certificate and speaks plain HTTP; listen on http and put a proxy with "
                    + "TLS in front"
            );
}
