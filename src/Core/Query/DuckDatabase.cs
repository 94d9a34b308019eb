using System.Globalization;
using DuckDB.NET.Data;

namespace Archiver.Core.Query;

/// <summary>
/// A DuckDB of one question, in memory. Before any SQL of anybody's runs in it, it may open no file, no URL and no extension, and none of
/// this can be set back. It spills to a folder of its own, encrypted, and what it holds is gone with it.
/// </summary>
internal sealed class DuckDatabase : IDisposable
{
    private readonly DuckDBConnection _connection = new("DataSource=:memory:");
    private readonly List<DuckScan> _scans = [];

    /// <param name="limits">What it may take.</param>
    /// <param name="spill">Folder to spill to.</param>
    /// <param name="output">A folder that <c>COPY</c>, which only we say, may write to; null for none.</param>
    public DuckDatabase(QueryLimits limits, string spill, string? output)
    {
        _connection.Open();
        string[] settings =
        [
            string.Create(CultureInfo.InvariantCulture, $"memory_limit = '{limits.DuckMemory}B'"),
            $"temp_directory = {Literal(spill)}",
            // With its own cipher, which is slow and has no good source of chance; the other one would have to be downloaded.
            "temp_file_encryption = true",
            "force_mbedtls_unsafe = true",
            "TimeZone = 'UTC'",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            "allow_community_extensions = false",
            "allow_persistent_secrets = false",
            $"allowed_directories = [{(output is null ? "" : Literal(output))}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ];
        foreach (var setting in settings)
            Execute($"SET {setting}");
    }

    /// <summary>Why a scan ended early: DuckDB passes on that it did, and no more.</summary>
    public Exception? ScanFailure => _scans.Select(s => s.Failure).FirstOrDefault(f => f is not null);

    /// <summary>Makes a view over what was fetched, in place of one that is there.</summary>
    public void AddView(ViewTable view, DocumentSpool spool, DocumentShapes shapes, long rows, CancellationToken cancellationToken)
    {
        var scan = new DuckScan(view, spool, shapes, rows, Environment.ProcessorCount, cancellationToken);
        // Each with a name of its own: what is registered stays.
        var name = string.Create(CultureInfo.InvariantCulture, $"archiver_scan_{_scans.Count}");
        _scans.Add(scan);
        scan.Register(_connection.NativeConnection, name);
        Execute($"CREATE OR REPLACE VIEW {Identifier(view.Name)} AS FROM {name}()");
    }

    /// <summary>Forgets why scans ended, before the next try.</summary>
    public void ForgetFailures() => _scans.ForEach(s => s.Forget());

    /// <param name="sql">Its text.</param>
    /// <param name="streaming">
    /// Whether its rows come as they are made; until the last one has come, what is made known later stays unknown.
    /// </param>
    public DuckDBCommand Command(string sql, bool streaming = false)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.UseStreamingMode = streaming;
        return command;
    }

    public void Execute(string sql)
    {
        using var command = Command(sql);
        command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        _connection.Dispose();
        _scans.ForEach(s => s.Dispose());
    }

    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    public static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
