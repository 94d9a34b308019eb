using System.Text;
using Archiver.Core.Configuration;
using Archiver.Core.Documents;
using Archiver.Core.Settings;

namespace Archiver.Core.Tests.Reconciliation;

/// <summary>Of the times of a document's rows the ledger needs the first and the last, and no others.</summary>
public sealed class RowTimesTests
{
    [Fact]
    public void Keeps_the_first_and_the_last_of_each_table_and_what_PostgreSQL_alone_can_compare()
    {
        var messages = Presets.Get("ended-at").Map.Children[0];
        var map = new SourceMap(
            Presets.Get("ended-at").Map.Session,
            [messages, messages with { Name = "files", Time = "at" }, messages with { Name = "tags", Time = null }]
        );
        var times = new RowTimes(map);

        foreach (
            var time in new[]
            {
                "2026-01-02T03:04:05Z",
                "2026-01-02T03:04:05.1Z",
                "2025-12-31T23:59:59.999999Z",
                "infinity",
                "0044-03-15T00:00:00Z BC",
                "infinity",
            }
        )
            times.Add(
                "messages",
                Encoding.UTF8.GetBytes($$"""{"id":1,"metadata":{"timestamp":"1999-01-01T00:00:00Z"},"{{messages.Time}}":"{{time}}"}""")
            );
        times.Add("messages", """{"id":2}"""u8);
        times.Add("files", """{"timestamp":"1999-01-01T00:00:00Z","at":"2026-02-01"}"""u8);
        times.Add("tags", """{"at":"1999-01-01"}"""u8);
        times.Add("unknown", """{"at":"1999-01-01"}"""u8);

        Assert.Equal(
            ["0044-03-15T00:00:00Z BC", "2025-12-31T23:59:59.999999Z", "2026-01-02T03:04:05.1Z", "2026-02-01", "infinity"],
            times.Extremes.Order(StringComparer.Ordinal)
        );
    }
}
