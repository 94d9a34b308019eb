using System.Buffers;
using System.Text;
using Archiver.Core.Export;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Tests.Export;

/// <summary>The way of a row from COPY to JSON makes no objects: at millions of rows each one would be the collector's work.</summary>
public sealed class RowAllocationTests
{
    private const int Rows = 20_000;

    [Fact]
    public async Task Makes_no_object_for_a_row()
    {
        var table = new TableShape(
            "messages",
            new TableName("public", "chat_messages"),
            1,
            "",
            [
                Column("id", ColumnKind.Number),
                Column("role", ColumnKind.Text),
                Column("content", ColumnKind.Text),
                Column("timestamp", ColumnKind.Timestamp),
                Column("metadata", ColumnKind.Json),
            ]
        );
        var copy = Encoding.UTF8.GetBytes(
            string.Concat(
                Enumerable
                    .Range(1, Rows)
                    .Select(n => $"1\t-{n}\t{n}\tuser\tA \"message\"\\nof two lines\t2026-01-01 00:00:00+00\t{{\"a\": {n}}}\n")
            )
        );
        var target = new TableRows(table, sessions: 1);
        var output = new ArrayBufferWriter<byte>(1 << 20);
        using var reader = new CopyTextReader(new MemoryStream(copy), target.FieldCount);
        Assert.True(await reader.ReadAsync(TestContext.Current.CancellationToken));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var rows = 1;
        // A memory stream answers at once, so all of it stays on this thread.
        while (await reader.ReadAsync(CancellationToken.None))
        {
            output.Clear();
            target.WriteRow(output, TableRows.SessionOf(reader), reader);
            rows++;
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(Rows, rows);
        // In a Debug build the state machine of ReadAsync is an object of 88 bytes; one more object a row would exceed this.
        Assert.InRange(allocated, 0, 100 * Rows);
    }

    private static ColumnShape Column(string name, ColumnKind kind) => new(name, "text", "text", kind, Generated: false);
}
