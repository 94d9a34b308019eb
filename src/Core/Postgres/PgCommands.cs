using Npgsql;

namespace Archiver.Core.Postgres;

/// <summary>The three shapes of a statement, so that no caller forgets the token or the disposal.</summary>
internal static class PgCommands
{
    public static NpgsqlCommand Command(this NpgsqlConnection connection, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    /// <summary>Runs a statement and returns the number of rows it touched.</summary>
    public static async Task<int> ExecuteAsync(
        this NpgsqlConnection connection,
        string sql,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    )
    {
        await using var command = connection.Command(sql, parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The first column of the first row; null where it is SQL NULL or there is no row.</summary>
    public static async Task<T?> ScalarAsync<T>(
        this NpgsqlConnection connection,
        string sql,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    )
    {
        await using var command = connection.Command(sql, parameters);
        var value = await command.ExecuteScalarAsync(cancellationToken);
        return value is null or DBNull ? default : (T)value;
    }

    /// <summary>Every row, mapped.</summary>
    public static async Task<List<T>> QueryAsync<T>(
        this NpgsqlConnection connection,
        string sql,
        Func<NpgsqlDataReader, T> map,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    )
    {
        List<T> rows = [];
        await using var command = connection.Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(map(reader));
        return rows;
    }

    public static string? TextOrNull(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    /// <summary>
    /// A <c>timestamptz</c> that the application wrote; null where it is NULL or infinite. The server's years go from 4713 BC to 294276,
    /// .NET's from 1 to 9999: a time beyond these is the nearest of them, for a session with such a date would be archived and could not be
    /// read again.
    /// </summary>
    public static DateTimeOffset? InstantOrNull(this NpgsqlDataReader reader, int column)
    {
        if (reader.IsDBNull(column))
            return null;
        var microseconds = reader.GetInt64(column);
        if (microseconds is long.MinValue or long.MaxValue)
            return null;
        var ticks = (Int128)microseconds * TimeSpan.TicksPerMicrosecond + ServerEpoch.UtcTicks;
        return new((long)Int128.Clamp(ticks, DateTimeOffset.MinValue.UtcTicks, DateTimeOffset.MaxValue.UtcTicks), TimeSpan.Zero);
    }

    private static readonly DateTimeOffset ServerEpoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
}
