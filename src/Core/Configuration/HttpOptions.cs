using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Section <c>Http</c> as written.</summary>
internal sealed class HttpOptions
{
    public string? Urls { get; set; }

    [Secret]
    public string? ApiKey { get; set; }

    [Secret]
    public string? MetricsKey { get; set; }

    /// <summary>A key that a program could go through is none.</summary>
    private const int ShortestKey = 16;

    public HttpSettings Read(ValueReader read) =>
        new()
        {
            Urls = ReadUrls(read) ?? new HttpSettings().Urls,
            // An empty key would let everybody in, so it is refused like every empty value.
            ApiKey = ReadKey(read, ApiKey, nameof(ApiKey)),
            MetricsKey = ReadMetricsKey(read),
        };

    private string? ReadMetricsKey(ValueReader read)
    {
        var key = ReadKey(read, MetricsKey, nameof(MetricsKey));
        // Whoever reads metrics could do everything.
        if (key is not null && key == ApiKey)
            read.Problem(nameof(MetricsKey), $"must differ from {nameof(ApiKey)}, which opens everything (value not shown)");
        return key;
    }

    private static string? ReadKey(ValueReader read, string? raw, string name)
    {
        var key = read.Secret(raw, name);
        if (key is { Length: > 0 and < ShortestKey })
            read.Problem(
                name,
                $"must have at least {ShortestKey} characters, or it could be guessed; openssl rand -hex 32 makes a good "
                    + "one (value not shown)"
            );
        return key;
    }

    private string? ReadUrls(ValueReader read)
    {
        if (read.Text(Urls) is not { } urls)
            return null;
        if (urls.Split(';').All(IsListenUrl))
            return urls;
        if (urls.Contains("https://", StringComparison.OrdinalIgnoreCase))
            read.Problem(
                nameof(Urls),
                "must not be https: the worker has no certificate and speaks plain HTTP; listen on http and put a proxy with TLS in front"
            );
        else
            read.Bad(nameof(Urls), urls, "http URLs separated by ';', such as http://127.0.0.1:8080");
        return null;
    }

    /// <summary>Kestrel takes <c>*</c> and <c>+</c> as "every address", which no URL may hold.</summary>
    private static bool IsListenUrl(string url)
    {
        var named = url.Replace("://*", "://any", StringComparison.Ordinal).Replace("://+", "://any", StringComparison.Ordinal);
        return Uri.TryCreate(named, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp && uri.UserInfo.Length == 0;
    }
}
