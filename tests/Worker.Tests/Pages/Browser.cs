using Archiver.Worker.Tests.Http;
using Microsoft.Playwright;

namespace Archiver.Worker.Tests.Pages;

/// <summary>Debian's Chromium, steered by Playwright, for all tests of a class.</summary>
public sealed class Browser : IAsyncLifetime
{
    private const string Path = "/usr/bin/chromium";

    private static readonly string[] Flags =
    [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Path))
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Path, Args = Flags });
    }

    /// <summary>A person's browser with a password manager that knows the key; closed with the context.</summary>
    /// <param name="address">The worker.</param>
    /// <param name="options">Screen, colours, scripts; the defaults of a desktop unless given.</param>
    internal async Task<IBrowserContext> OpenAsync(Uri address, BrowserNewContextOptions? options = null)
    {
        if (_browser is null)
        {
            const string message = "needs Debian's package chromium (./test.sh installs it)";
            if (Environment.GetEnvironmentVariable("CI") is { Length: > 0 })
                Assert.Fail(message);
            Assert.Skip(message);
        }
        options ??= new();
        options.BaseURL = address.ToString();
        options.HttpCredentials = new() { Username = "anybody", Password = HttpFixture.Key };
        var context = await _browser.NewContextAsync(options);
        context.SetDefaultTimeout(30_000);
        return context;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
