using Archiver.Worker.Tests.Http;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Archiver.Worker.Tests.Pages;

/// <summary>
/// The pages in a real browser, as a person uses them. With <c>ARCHIVER_SCREENSHOTS</c> set to a folder they leave pictures there,
/// of which docs/status.png is one.
/// </summary>
public sealed class PageTests(HttpFixture fixture, Browser browser) : IClassFixture<HttpFixture>, IClassFixture<Browser>
{
    private const string History = """
        DELETE FROM archiver.runs AS r WHERE r.worker = 'host/1';
        INSERT INTO archiver.runs (id, source, policy, action, state, worker, started_at, ended_at, sessions_selected, sessions_done,
          sessions_skipped, sessions_failed, rows_deleted, bytes_json, bytes_stored, reasons, error)
        SELECT gen_random_uuid(), 'main', 'history', 'archive', CASE WHEN n = 11 THEN 'failed' WHEN n % 7 = 3 THEN 'partial'
          ELSE 'done' END, 'host/1',
               now() - n * interval '1 day', now() - n * interval '1 day' + s.sessions / 20 * interval '1 second',
               s.sessions, s.sessions, n % 3, CASE WHEN n % 7 = 3 THEN 2 ELSE 0 END, s.sessions * 21, s.sessions * 9100, s.sessions * 2300,
               CASE WHEN n % 7 = 3 THEN '{"unreadable (22021)": 2}'::jsonb ELSE '{}' END,
               CASE WHEN n = 11 THEN 'Cannot connect to the server of source ''main''.' END
        FROM generate_series(1, 29) AS n CROSS
          JOIN LATERAL (SELECT (CASE WHEN n = 11 THEN 120 ELSE 900 + 400 * sin(n / 3.0) + 13 * n END)::bigint AS sessions) AS s;
        INSERT INTO archiver.runs (id, source, policy, action, state, worker, started_at, ended_at, sessions_selected, sessions_done,
          bytes_json)
        SELECT gen_random_uuid(), 'main', 'restore', 'restore', 'done', 'host/1', now() - n * interval '1 day',
          now() - n * interval '1 day' + interval '3 seconds', 90, 90, 800000
        FROM generate_series(4, 26, 9) AS n
        """;

    private Uri Address => fixture.Worker.Address;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_person_finds_a_conversation_reads_it_restores_it_and_sees_it_live(bool scripts)
    {
        var id = fixture.Archived[scripts ? 0 : 1];
        await using var context = await browser.OpenAsync(Address, new() { JavaScriptEnabled = scripts });
        var page = await context.NewPageAsync();

        await page.GotoAsync("/");
        await page.GetByRole(AriaRole.Searchbox, new() { Name = "Session or user id" }).FillAsync(id);
        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        Assert.Equal(0, await page.GetByText("is live in the database").CountAsync());
        await page.GetByRole(AriaRole.Link, new() { Name = $"Read {id}, generation 1" }).ClickAsync();
        Assert.Equal(6, await page.GetByRole(AriaRole.Article).CountAsync());
        // Text of a session stays text.
        Assert.Equal(1, await page.GetByText(HttpFixture.Markup, new() { Exact = true }).CountAsync());
        Assert.DoesNotContain("hacked", await page.TitleAsync(), StringComparison.Ordinal);
        await ShootAsync(page, $"transcript-{scripts}");
        await page.GetByRole(AriaRole.Link, new() { Name = "Restore this session" }).ClickAsync();
        await ShootAsync(page, $"restore-{scripts}");
        Assert.Equal(0, await LiveAsync(id));
        await page.GetByRole(AriaRole.Button, new() { Name = "Restore", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Status).GetByText("the session is in the database again").WaitForAsync();
        Assert.Equal(1, await LiveAsync(id));
        Assert.True(
            await fixture.Archiver.Database.ScalarAsync<bool>(
                "SELECT bool_and(who LIKE 'status page on %') FROM archiver.audit WHERE action = 'restore'"
            )
        );

        await page.GetByRole(AriaRole.Searchbox).FillAsync(id);
        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        Assert.Equal(1, await page.GetByText("A session with this id is live in the database of: main").CountAsync());
        Assert.Equal(1, await page.GetByRole(AriaRole.Cell, new() { Name = "restored", Exact = true }).CountAsync());
        await ShootAsync(page, $"search-{scripts}");
    }

    [Fact]
    public async Task Status_is_drawn_without_asking_any_other_server_and_without_breaking_its_policy()
    {
        await fixture.Archiver.Database.ExecuteAsync(History);
        foreach (var (name, options) in Screens())
        {
            await using var context = await browser.OpenAsync(Address, options);
            var page = await context.NewPageAsync();
            List<string> complaints = [],
                requests = [];
            page.Console += (_, message) => complaints.Add($"{message.Type}: {message.Text}");
            page.PageError += (_, error) => complaints.Add(error);
            page.Request += (_, request) => requests.Add(request.Url);

            await page.GotoAsync("/");
            await page.Locator("figure canvas").Nth(2).WaitForAsync();

            Assert.Equal(3, await page.Locator("figure canvas").CountAsync());
            Assert.Empty(complaints);
            Assert.All(requests, r => Assert.StartsWith(Address.GetLeftPart(UriPartial.Authority), r, StringComparison.Ordinal));
            Assert.True(requests.Count >= 5);
            await ShootAsync(page, $"status-{name}");
        }
    }

    [Fact]
    public async Task Every_page_passes_axe_and_fits_the_screen()
    {
        await fixture.Archiver.Database.ExecuteAsync(History);
        var id = fixture.Archived[3];
        foreach (var (name, options) in Screens())
        {
            await using var context = await browser.OpenAsync(Address, options);
            var page = await context.NewPageAsync();
            foreach (
                var path in new[]
                {
                    "/",
                    "/search",
                    $"/search?q={id}",
                    $"/transcript?id={id}",
                    $"/restore?id={id}",
                    "/transcript?id=absent",
                    "/archives?limit=none",
                }
            )
            {
                await page.GotoAsync(path);
                // axe puts its own script into the page through the debugger, so the policy stays as it is.
                var result = await page.RunAxe();
                Assert.True(
                    result.Violations.Length == 0,
                    $"{name} {path}: {string.Join("; ", result.Violations.Select(v => $"{v.Id}: {v.Help} {string.Join(' ', v.Nodes.Select(n => n.Html))}"))}"
                );
                Assert.True(result.Passes.Length > 5, "axe looked at nothing.");
                Assert.True(
                    await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"),
                    $"{name} {path} is wider than the screen."
                );
            }
        }
    }

    private static IEnumerable<(string Name, BrowserNewContextOptions Options)> Screens() =>
        [
            (
                "desktop",
                new()
                {
                    ViewportSize = new() { Width = 1280, Height = 900 },
                    ColorScheme = ColorScheme.Light,
                }
            ),
            (
                "dark",
                new()
                {
                    ViewportSize = new() { Width = 1280, Height = 900 },
                    ColorScheme = ColorScheme.Dark,
                }
            ),
            (
                "phone",
                new()
                {
                    ViewportSize = new() { Width = 390, Height = 844 },
                    ColorScheme = ColorScheme.Light,
                }
            ),
        ];

    private static async Task ShootAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("ARCHIVER_SCREENSHOTS") is { Length: > 0 } folder)
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png"), FullPage = true });
    }

    private Task<long> LiveAsync(string id) =>
        fixture.Archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE session_id = '{id}'");
}
