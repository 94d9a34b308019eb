using Archiver.Core.Query;
using DuckDB.NET.Data;

namespace Archiver.Core.Tests.Query;

/// <summary>A statement ends when it is asked to, whenever that is.</summary>
public sealed class StatementStopTests
{
    // Many seconds long, if nobody stops it.
    private const string Long = "SELECT count(*) FROM range(2000000000) AS r (n) WHERE n % 7 = 3";

    [Fact]
    public void Ends_a_statement_that_had_not_begun_when_it_was_asked()
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = Long;
        using var stop = new StatementStop(command, new CancellationToken(canceled: true));

        // The driver says it in one way while it reads the statement, and in another while that runs.
        var error = Record.Exception(() => command.ExecuteScalar());

        Assert.True(error is DuckDBException or OperationCanceledException, $"It ended with: {error?.ToString() ?? "its answer"}");
    }

    [Fact]
    public void Leaves_the_connection_as_it_was()
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using (var command = connection.CreateCommand())
        {
            command.CommandText = "SELECT 1";
            using var stop = new StatementStop(command, new CancellationToken(canceled: true));
        }
        using var next = connection.CreateCommand();
        next.CommandText = "SELECT 2";

        Assert.Equal(2, next.ExecuteScalar());
    }
}
