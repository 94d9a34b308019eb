using Archiver.Testing;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>Triggers of an application whose sessions have a time zone other than UTC, and a style of dates of their own.</summary>
public sealed class ApplicationZoneTests(TestServers servers) : ApplicationCase(servers)
{
    private const string Zone = "America/New_York";

    /// <summary>What a trigger writes into a column without a zone, at whatever changes a row.</summary>
    private const string Touching = """
        ALTER TABLE conversations ADD COLUMN status text NOT NULL DEFAULT 'active', ADD COLUMN expires_at timestamptz,
          ADD COLUMN archived boolean NOT NULL DEFAULT false, ADD COLUMN touched timestamp, ADD COLUMN began timestamptz DEFAULT now();
        UPDATE conversations SET expires_at = now() - interval '1 day' WHERE id <> 2;
        CREATE TABLE touched (at timestamp, says text);
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF TG_OP = 'DELETE' THEN INSERT INTO touched VALUES (now(), now()::date); RETURN OLD; END IF;
          NEW.touched := now(); INSERT INTO touched VALUES (now(), now()::date); RETURN NEW; END $$;
        CREATE TRIGGER t BEFORE UPDATE OR DELETE ON conversations FOR EACH ROW EXECUTE FUNCTION touch();
        """;

    [Theory]
    [InlineData("expire")]
    [InlineData("purge")]
    [InlineData("archive", "Delete", "Nothing")]
    [InlineData("archive", "DeleteAfter", "1d")]
    [InlineData("archive")]
    public async Task A_trigger_writes_the_local_time_that_it_writes_in_the_application(
        string verb,
        string key = "IdleFor",
        string value = "90d"
    )
    {
        await using var archiver = await CreateAsync(Touching);
        Map(archiver).With($"Sources:main:Policies:idle:{key}", value);
        archiver
            .With("Sources:main:Policies:old:Action", "Purge")
            .With("Sources:main:Policies:old:IdleFor", "90d")
            .With("Sources:main:Policies:over:Action", "Expire")
            .With("Sources:main:Policies:over:ExpiredFor", "0s");
        await SetAsync(archiver, $"TimeZone = '{Zone}'", "DateStyle = 'German'");

        var result = await archiver.RunAsync(verb);

        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        Assert.Equal(0, await WrongAsync(archiver, Zone));
        Assert.Equal(
            2,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM touched WHERE says = to_char(at, 'DD.MM.YYYY')", Token)
        );
    }

    [Fact]
    public async Task The_zone_that_a_source_names_is_that_of_its_triggers()
    {
        await using var archiver = await CreateAsync(Touching);
        Map(archiver).With("Sources:main:TimeZone", Zone);
        await SetAsync(archiver, "TimeZone = 'UTC'");

        var result = await archiver.RunAsync("archive");

        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        Assert.Equal(0, await WrongAsync(archiver, Zone));
    }

    [Fact]
    public async Task A_mark_is_known_again_after_a_rewrite_and_taken_back_in_the_applications_zone()
    {
        await using var archiver = await CreateAsync(Touching);
        Map(archiver).With("Sources:main:Policies:idle:Delete", "Nothing");
        await SetAsync(archiver, $"TimeZone = '{Zone}'", "DateStyle = 'German'");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await archiver.Database.ExecuteAsync("VACUUM FULL conversations", Token);
        await archiver.Database.ExecuteAsync("VACUUM FULL messages", Token);

        var again = await archiver.RunAsync("archive");

        Assert.True(again.ExitCode == 0, again.Error + again.Output);
        Assert.Equal("stored 2", await StatesAsync());
        await archiver.Database.ExecuteAsync("TRUNCATE touched; INSERT INTO messages VALUES (12, 1, 'again')", Token);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.True(await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM touched", Token) > 0);
        Assert.Equal(0, await WrongAsync(archiver, Zone));

        Task<string?> StatesAsync() =>
            archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(DISTINCT state, ',') || ' ' || count(*) FROM archiver.archives",
                Token
            );
    }

    [Theory]
    [InlineData("UTC", Zone)]
    [InlineData(Zone, "Asia/Kolkata")]
    public async Task A_restore_brings_back_the_local_day_that_a_trigger_makes(string configured, string database)
    {
        await using var archiver = await CreateAsync(
            """
            ALTER TABLE conversations ADD COLUMN day date, ADD COLUMN says text;
            CREATE FUNCTION local_day() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              NEW.day := NEW.seen::date; NEW.says := NEW.seen || ' ' || interval '1 day 2 hours'; RETURN NEW; END $$;
            CREATE TRIGGER t BEFORE INSERT OR UPDATE ON conversations FOR EACH ROW EXECUTE FUNCTION local_day();
            """
        );
        archiver.With("Sources:main:TimeZone", configured);
        await SetAsync(archiver, $"TimeZone = '{database}'", "DateStyle = 'SQL, DMY'", "IntervalStyle = 'iso_8601'");
        // 3 in the morning in UTC is another day there, and another one in India.
        await archiver.Database.ExecuteAsync(
            $"SET TimeZone = '{(configured == "UTC" ? database : configured)}'; UPDATE conversations SET seen = "
                + "date_trunc('day', seen AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '3 hours' WHERE id <> 2",
            Token
        );
        var before = await RowsAsync(archiver);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        var drill = await archiver.RunAsync("verify", "--restore-drill", "2");
        var restored = await archiver.RunAsync("restore", "1", "3");

        Assert.True(drill.ExitCode == 0, drill.Error + drill.Output);
        Assert.True(restored.ExitCode == 0, restored.Error + restored.Output);
        Assert.Equal(before, await RowsAsync(archiver));
    }

    private static Installation Map(Installation archiver)
    {
        foreach (var (key, column) in new[] { ("Status", "status"), ("Expires", "expires_at"), ("Archived", "archived") })
            archiver.With($"Sources:main:Tables:Session:{key}", column);
        return archiver;
    }

    /// <summary>How many times are not of the zone's last minutes.</summary>
    private static Task<long> WrongAsync(Installation archiver, string zone) =>
        archiver.Database.ScalarAsync<long>(
            "SELECT count(*) FROM (SELECT at FROM touched UNION ALL SELECT touched FROM conversations WHERE touched IS NOT NULL) AS t "
                + $"WHERE abs(extract(epoch FROM at - (now() AT TIME ZONE '{zone}'))) > 300",
            Token
        );

    private static async Task SetAsync(Installation archiver, params string[] settings)
    {
        var name = new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString).Database;
        foreach (var setting in settings)
            await archiver.Database.ExecuteAsync($"ALTER DATABASE {name} SET {setting}", Token);
        archiver.Database.DataSource.Clear();
    }
}
