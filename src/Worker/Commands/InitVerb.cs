using System.CommandLine;
using System.Net.Sockets;
using System.Text;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Discovery;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Worker.Configuration;
using Archiver.Worker.Jobs;
using Archiver.Worker.Output;
using Npgsql;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver init</c>: a first configuration from what is in a database. It changes nothing there.</summary>
internal sealed class InitVerb(ProcessEnvironment environment, Terminal terminal) : IUnconfiguredVerb
{
    private const string Hint = " If you know the table of sessions: --sessions <table>. docs/init.md says what is looked for.";

    public static Command Describe()
    {
        var command = new Command(
            "init",
            """
            Looks at a database and writes a first configuration for it: which tables hold the sessions and what hangs below them,
            with the reasons, and DryRun on. Prints the SQL that it needs and what archiver plan would say. Asks on a terminal;
            changes nothing in the database.
            Example: archiver init --connection "Host=db;Database=chat;Username=postgres" --bucket archives --yes
            """
        );
        foreach (var option in InitOptions.All)
            command.Options.Add(option);
        return command;
    }

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var request = InitOptions.Read(parse, environment);
        try
        {
            return await ExecuteAsync(request, parse.GetValue(InitOptions.Yes), cancellationToken);
        }
        catch (Exception exception) when (exception is NpgsqlException or SocketException or TimeoutException)
        {
            throw PgErrors.ForPerson(exception, "--connection", "", request.Connection);
        }
    }

    private async Task<int> ExecuteAsync(InitRequest request, bool yes, CancellationToken cancellationToken)
    {
        var facts = await ReadAsync(request, cancellationToken);
        var guess = Make(request, facts);
        if (!yes && environment.IsAsked)
        {
            using var questions = new InitQuestions(terminal);
            if (
                guess.Candidates.Count > 1
                && request.Sessions is null
                && await questions.SessionsAsync(guess, cancellationToken) is { } table
            )
            {
                request = request with { Sessions = table };
                guess = Make(request, facts);
            }
            if (guess.Best is { } best)
            {
                request = await questions.RestAsync(best, request, cancellationToken);
                guess = Make(request, facts);
            }
        }
        else if (!yes && guess.Best is not null && InitQuestions.Open(guess, request) is { Count: > 0 } open)
        {
            throw InitOptions.Wrong(
                "Questions are open, and here is nobody to ask. Answer them with these options, or take the best guess with --yes:"
                    + $"{string.Concat(open.Select(q => $"\n  - {q}"))}\nNothing was written."
            );
        }
        return guess.Best is { } proposal
            ? await WriteAsync(request, facts, proposal, cancellationToken)
            : throw new ArchiverException(FailureKind.Failed, $"{guess.Why} Nothing was written.{(request.Sessions is null ? Hint : "")}");
    }

    private static Guess Make(InitRequest request, DatabaseFacts facts) => new Proposer(facts, InitAnswers.Of(request, facts)).Make();

    private static async Task<DatabaseFacts> ReadAsync(InitRequest request, CancellationToken cancellationToken)
    {
        await using var source = ConnectionText.Source(request.Connection.ConnectionString, pooling: false);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        return await DatabaseReader.ReadAsync(connection, cancellationToken);
    }

    private async Task<int> WriteAsync(InitRequest request, DatabaseFacts facts, Proposal proposal, CancellationToken cancellationToken)
    {
        var text = new ConfigurationText(
            facts,
            proposal,
            request.Name,
            Written(request),
            request.WritePassword,
            request.Role,
            request.IdleFor,
            request.Storage
        ).ToString();
        InitText.WriteProposal(facts, proposal, terminal);
        var settings = Settings(text, request);
        await using var connections = new ConnectionCatalog(settings);
        var look = await FirstLook.TakeAsync(settings, connections, cancellationToken);
        var script = InitText.Script(NeededSql.Of(facts, proposal, request.Role, look.Inspection.Indexes), request.Role);
        terminal.WriteLine("SQL that it needs; nothing was changed in the database:");
        terminal.Out.WriteLine(Printable.Lines(script));
        InitText.WriteLook(look, $"{request.Name}/idle", terminal);
        if (request.Sql is { } sql)
            await SaveAsync(sql, script, request.Force, onlyOwner: false, cancellationToken);
        await SaveAsync(request.Output, text, request.Force, request.WritePassword, cancellationToken);
        terminal.WriteLine($"Written: {request.Output}{(request.Sql is null ? "" : $" and {request.Sql}")}");
        return ExitCode.Done;
    }

    /// <summary>Without what is secret, unless that is wanted.</summary>
    private static string Written(InitRequest request)
    {
        if (request.WritePassword)
            return request.Connection.ConnectionString;
        var text = new NpgsqlConnectionStringBuilder(request.Connection.ConnectionString);
        text.Remove("Password");
        text.Remove("SSL Password");
        return text.ConnectionString;
    }

    /// <summary>The text as the archiver reads it; only then it is worth to be written.</summary>
    private ArchiverSettings Settings(string text, InitRequest request)
    {
        using var json = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var configuration = new ConfigurationBuilder()
            .AddJsonStream(json)
            .AddInMemoryCollection([
                new($"{ArchiverConfiguration.SectionName}:Sources:{request.Name}:ConnectionString", request.Connection.ConnectionString),
            ])
            .Build();
        return ArchiverConfiguration.Read(configuration, CronProblem.Of, environment.Folder);
    }

    private static async Task SaveAsync(string path, string text, bool force, bool onlyOwner, CancellationToken cancellationToken)
    {
        try
        {
            var options = new FileStreamOptions { Mode = force ? FileMode.Create : FileMode.CreateNew, Access = FileAccess.Write };
            if (onlyOwner && !OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            if (force && onlyOwner && File.Exists(path))
                File.Delete(path);
            await using var file = new FileStream(path, options);
            await file.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ArchiverException(FailureKind.Failed, $"{path} cannot be written: {exception.Message}", exception);
        }
    }
}
