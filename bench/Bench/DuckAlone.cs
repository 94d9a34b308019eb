using System.Diagnostics;
using System.Globalization;
using Amazon.S3;
using Amazon.S3.Model;
using DuckDB.NET.Data;

namespace Archiver.Bench;

/// <summary>What bench/query.sh compares with: DuckDB by itself, on the same objects in a local folder.</summary>
internal static class DuckAlone
{
    /// <param name="arguments"><c>fetch FOLDER</c>, or <c>sql MEMORY SQL</c>.</param>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        if (arguments[0] == "fetch")
            await FetchAsync(arguments[1]);
        else
            Run(arguments[1], arguments[2]);
        return 0;
    }

    private static async Task FetchAsync(string folder)
    {
        static string Setting(string name) => Environment.GetEnvironmentVariable($"Archiver__Storage__{name}")!;
        using var s3 = new AmazonS3Client(
            Setting("AccessKey"),
            Setting("SecretKey"),
            new AmazonS3Config
            {
                ServiceURL = Setting("Endpoint"),
                ForcePathStyle = true,
                AuthenticationRegion = "us-east-1",
            }
        );
        foreach (
            var found in (
                await s3.ListObjectsV2Async(
                    new ListObjectsV2Request { BucketName = Setting("Bucket"), Prefix = $"{Setting("Prefix")}/bundles/" }
                )
            ).S3Objects
        )
        {
            using var answer = await s3.GetObjectAsync(found.BucketName ?? Setting("Bucket"), found.Key);
            await answer.WriteResponseStreamToFileAsync(
                Path.Combine(folder, found.Key.Replace('/', '_')),
                append: false,
                CancellationToken.None
            );
        }
    }

    private static void Run(string memory, string sql)
    {
        var began = Stopwatch.GetTimestamp();
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SET memory_limit = '{memory}'; SET TimeZone = 'UTC'; {sql}";
        using var reader = command.ExecuteReader();
        while (reader.FieldCount < 2 && reader.NextResult()) { }
        while (reader.Read())
            Console.WriteLine(
                string.Join(
                    ' ',
                    Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))
                )
            );
        var process = Process.GetCurrentProcess();
        Console.Error.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Stopwatch.GetElapsedTime(began).TotalSeconds:0.00} s, "
                    + $"{process.TotalProcessorTime.TotalSeconds:0.0} s of processor, peak {process.PeakWorkingSet64 >> 20} MB"
            )
        );
    }
}
