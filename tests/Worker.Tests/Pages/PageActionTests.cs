using Archiver.Testing;
using Archiver.Worker.Tests.Http;
using Microsoft.Playwright;

namespace Archiver.Worker.Tests.Pages;

/// <summary>What a person does on the pages, in a real browser.</summary>
public sealed class PageActionTests(HttpFixture fixture, Browser browser) : IClassFixture<HttpFixture>, IClassFixture<Browser>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private Uri Address => fixture.Worker.Address;

    [Fact]
    public async Task The_keyboard_alone_pauses_a_policy_and_resumes_it()
    {
        await using var context = await browser.OpenAsync(Address);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/");
        await page.Keyboard.PressAsync("Tab");
        Assert.Equal("Skip to content", await page.EvaluateAsync<string>("document.activeElement.textContent"));

        await TabToAsync(page, "Pause main/idle");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByRole(AriaRole.Status).GetByText("Paused.").WaitForAsync();
        Assert.Equal(1, await fixture.Archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.pauses"));
        Assert.Equal(1, await page.GetByText("Paused: main/idle. Go on with: archiver resume").CountAsync());

        await TabToAsync(page, "Resume main/idle");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByRole(AriaRole.Status).GetByText("Resumed.").WaitForAsync();
        Assert.Equal(0, await fixture.Archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.pauses"));
    }

    [Fact]
    public async Task Quarantined_sessions_are_shown_and_tried_again_on_request()
    {
        await fixture.Archiver.Database.ExecuteAsync(
            "INSERT INTO archiver.quarantine (source, session_id, reason, attempts, run_id, quarantined_at) VALUES ('main', 'poison', "
                + "'unreadable (22021)', 5, gen_random_uuid(), now())"
        );
        await using var context = await browser.OpenAsync(Address);
        var page = await context.NewPageAsync();
        // A status is kept for a moment.
        await Eventually.TrueAsync(
            async () =>
            {
                await page.GotoAsync("/");
                return await page.GetByText("1 session quarantined. See: archiver quarantine list").CountAsync() == 1;
            },
            Token,
            TimeSpan.FromMinutes(1)
        );

        await page.GetByRole(AriaRole.Button, new() { Name = "Retry poison" }).ClickAsync();
        await page.GetByRole(AriaRole.Status).GetByText("The next run tries the session again.").WaitForAsync();

        Assert.Equal(0, await fixture.Archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.quarantine"));
        Assert.Equal(
            1,
            await fixture.Archiver.Database.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.audit WHERE action = 'quarantine retry' AND who LIKE 'status page%'"
            )
        );
    }

    [Fact]
    public async Task A_session_is_put_on_hold_and_released()
    {
        var id = fixture.Archived[5];
        await using var context = await browser.OpenAsync(Address);
        var page = await context.NewPageAsync();
        await page.GotoAsync($"/transcript?id={id}");
        await page.GetByText("Put this session on legal hold").ClickAsync();
        await page.GetByLabel("Why, such as the number of a case").FillAsync("case 4711");
        await page.GetByRole(AriaRole.Button, new() { Name = "Hold", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Status).GetByText("On hold:").WaitForAsync();
        Assert.Equal(
            1,
            await fixture.Archiver.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM archiver.holds WHERE session_id = '{id}' AND reason = 'case 4711' AND removed_at IS NULL"
            )
        );

        await page.GotoAsync("/");
        var row = page.GetByRole(AriaRole.Row, new() { Name = $"session {id}" });
        await row.GetByText("Remove...").ClickAsync();
        await row.GetByRole(AriaRole.Button).ClickAsync();
        await page.GetByRole(AriaRole.Status).GetByText("The hold is removed.").WaitForAsync();
        Assert.Equal(0, await fixture.Archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.holds WHERE removed_at IS NULL"));
        Assert.Equal(
            2,
            await fixture.Archiver.Database.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.audit WHERE action LIKE 'hold %' AND who LIKE 'status page%'"
            )
        );
    }

    private static async Task TabToAsync(IPage page, string name)
    {
        for (var i = 0; i < 60; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            if (await page.EvaluateAsync<string?>("document.activeElement.getAttribute('aria-label')") == name)
                return;
        }
        Assert.Fail($"The keyboard does not reach '{name}'.");
    }
}
