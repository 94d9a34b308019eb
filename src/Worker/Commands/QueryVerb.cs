using System.CommandLine;
using System.Globalization;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Query;
using Archiver.Worker.Access;
using Archiver.Worker.Configuration;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver query</c>: SQL over archives. The library for it is loaded when it runs, and by nothing else.</summary>
internal sealed class QueryVerb(
    ReadingOptions reading,
    ArchiveSelection selection,
    ProcessEnvironment environment,
    Terminal terminal,
    ProgressDisplay progress
) : IVerb
{
    private static readonly Argument<string> Sql = new("sql")
    {
        Description = "One SELECT in DuckDB's SQL; the views are sessions, messages and the other children",
    };

    private static readonly Option<bool> Json = new("--json")
    {
        Description = "Print a JSON object a row, as in a document: no key for NULL",
    };

    private static readonly Option<bool> Csv = new("--csv") { Description = "Print CSV (RFC 4180), for programs" };

    private static readonly Option<string?> Parquet = new("--parquet")
    {
        Description = "Write Parquet to this file, which must not be there",
        HelpName = "file",
    };

    private static readonly Option<string?> PartitionBy = new("--partition-by")
    {
        Description =
            "With --parquet: a folder with a file for each month=..., of archived_at, the first time in the result, or of the column named",
        HelpName = "month|month:column",
    };

    private static readonly Option<long?> Memory = ReadingOptions.Size(
        "--memory",
        "What it may take before it spills to TMPDIR; 512MiB unless given"
    );

    public static Command Describe()
    {
        var command = new Command(
            "query",
            """
            Runs one SELECT over archives: verified copies, fetched for it alone. It can open no file and no address, and writes nothing.
            Example: archiver query "SELECT role, count(*) FROM messages GROUP BY role" --user 4711
            """
        )
        {
            Sql,
        };
        foreach (var option in ReadingOptions.All.Concat([Json, Csv, Parquet, PartitionBy, Memory]))
            command.Options.Add(option);
        return command;
    }

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var file = parse.GetValue(Parquet) is { } path ? environment.FullPath(path) : null;
        using var output = file is null ? null : ParquetOutput.For(file);
        using var query = new ArchiveQuery(selection, parse.GetRequiredValue(Sql), Limits(parse, file), output?.Folder);
        var sources = reading.Sources(parse).Select(s => s.Name).ToList();
        await reading.SelectAsync(parse, selection, query.Condition(sources.Count), cancellationToken);
        await selection.AuditAsync(Operator.Name, "query", cancellationToken);
        await progress.ShowAsync(
            "query",
            plain: false,
            async relay =>
            {
                await query.FetchAsync(sources, relay, cancellationToken);
                return ExitCode.Done;
            },
            one: "archive"
        );
        await reading.RecordRequestsAsync(parse);
        if (output is not null)
        {
            var rows = query.Export(output.Path, Partition(parse), cancellationToken);
            await selection.RequireStillThereAsync(cancellationToken);
            output.Keep();
            terminal.WriteLine($"{file}: {Amount.Of(rows, "row")}");
            return ExitCode.Done;
        }
        using var answer = query.Run(
            stream =>
                parse.GetValue(Json) ? new JsonResult(stream)
                : parse.GetValue(Csv) ? new CsvResult(stream, terminal.OutputIsTerminal)
                : new TableResult(stream),
            cancellationToken
        );
        await selection.RequireStillThereAsync(cancellationToken);
        await using var text = answer.OpenRead();
        await text.CopyToAsync(terminal.OutStream, cancellationToken);
        return ExitCode.Done;
    }

    private static QueryLimits Limits(ParseResult parse, string? file)
    {
        var forms = new[] { parse.GetValue(Json), parse.GetValue(Csv), file is not null }.Count(f => f);
        if (forms > 1)
            throw Wrong("--json, --csv and --parquet exclude each other.");
        if (parse.GetValue(PartitionBy) is not null && file is null)
            throw Wrong("--partition-by needs --parquet.");
        _ = Partition(parse);
        var memory = parse.GetValue(Memory) ?? QueryLimits.DefaultMemory;
        return memory >= QueryLimits.LeastMemory
            ? new(memory)
            : throw Wrong(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"--memory must be at least {ByteSize.Format(QueryLimits.LeastMemory)}, but is {ByteSize.Format(memory)}."
                )
            );
    }

    /// <summary>Null without partitions, empty when no column is named.</summary>
    private static string? Partition(ParseResult parse) =>
        parse.GetValue(PartitionBy) switch
        {
            null => null,
            "month" => "",
            { Length: > 6 } by when by.StartsWith("month:", StringComparison.Ordinal) => by["month:".Length..],
            var other => throw Wrong($"--partition-by must be month, or month: and a column, but is '{other}'."),
        };

    private static ArchiverException Wrong(string message) => new(FailureKind.Configuration, message);
}
