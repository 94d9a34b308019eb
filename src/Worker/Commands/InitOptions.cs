using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Worker.Configuration;
using Npgsql;

namespace Archiver.Worker.Commands;

/// <summary>The command line of <see cref="InitVerb"/>: every question that it may ask has an option that answers it.</summary>
internal static class InitOptions
{
    private static readonly Option<string> Connection = new("--connection")
    {
        Description = "Connection string of Npgsql; a password is better in PGPASSWORD or ~/.pgpass",
        HelpName = "string",
        Required = true,
    };

    private static readonly Option<string> Output = Text("--output", "The file to write", "file", "appsettings.json");

    private static readonly Option<bool> Force = new("--force") { Description = "Write over a file that is there" };

    public static Option<bool> Yes { get; } = new("--yes", "-y") { Description = "Ask nothing: the best guess" };

    private static readonly Option<string?> Preset = Text("--preset", "The application, where several are recognised", "name");

    private static readonly Option<string?> Sessions = Text("--sessions", "The table of sessions", "table");

    private static readonly Option<string?> Key = Text(
        "--key",
        "Its key: a column, or several that are unique together, separated by commas",
        "columns"
    );

    private static readonly Option<string?> Activity = Text(
        "--activity",
        "Its columns, separated by commas, that say when a session was last used",
        "columns"
    );

    private static readonly Option<string?> User = Text("--user", "Its column that says whose a session is", "column");

    private static readonly Option<string[]> Without = new("--without")
    {
        Description = "A table to leave out; may be repeated",
        HelpName = "table",
    };

    private static readonly Option<string> Name = Text("--name", "Name of the source", "name", "main");

    private static readonly Option<string> IdleFor = Text("--idle-for", "Archive what nobody has used for so long", "duration", "90d");

    private static readonly Option<string> Role = Text("--role", "The archiver's role in the SQL", "role", "archiver");

    private static readonly Option<string?> Sql = Text("--sql", "Write the SQL to this file, too", "file");

    private static readonly Option<bool> WritePassword = new("--write-password")
    {
        Description = "Write the password of --connection into the file, which then only you can read",
    };

    private static readonly Option<string?> Bucket = Text("--bucket", "The bucket", "name");

    private static readonly Option<string?> Endpoint = Text("--endpoint", "URL of an S3-compatible server; none for AWS", "url");

    private static readonly Option<string?> Region = Text("--region", "Region of the bucket", "name");

    private static readonly Option<bool> PathStyle = new("--path-style")
    {
        Description = "The bucket in the path, as most servers other than AWS want it",
    };

    private static readonly Option<string?> Folder = Text("--folder", "Store in this folder instead of a bucket", "path");

    public static IEnumerable<Option> All =>
        [
            Connection,
            Output,
            Force,
            Yes,
            Preset,
            Sessions,
            Key,
            Activity,
            User,
            Without,
            Name,
            IdleFor,
            Role,
            Sql,
            WritePassword,
            Bucket,
            Endpoint,
            Region,
            PathStyle,
            Folder,
        ];

    /// <summary>What was given, as far as it can be judged without the database.</summary>
    /// <exception cref="ArchiverException">A value is none, or two exclude each other; kind Configuration.</exception>
    public static InitRequest Read(ParseResult parse, ProcessEnvironment environment)
    {
        var request = new InitRequest
        {
            Connection = ConnectionOf(parse.GetRequiredValue(Connection)),
            Output = environment.FullPath(parse.GetRequiredValue(Output)),
            Sql = parse.GetValue(Sql) is { } sql ? environment.FullPath(sql) : null,
            Force = parse.GetValue(Force),
            Preset = parse.GetValue(Preset),
            Sessions = parse.GetValue(Sessions),
            Key = List(parse.GetValue(Key) ?? "") is { Count: > 0 } key ? KeyColumns.Of([.. key]) : null,
            Activity = parse.GetValue(Activity) is { } activity ? List(activity) : null,
            User = parse.GetValue(User),
            Without = parse.GetValue(Without) ?? [],
            Name = Names.Canonical(parse.GetRequiredValue(Name)),
            IdleFor = parse.GetRequiredValue(IdleFor),
            Role = parse.GetRequiredValue(Role),
            WritePassword = parse.GetValue(WritePassword),
            Storage = new(
                parse.GetValue(Bucket),
                parse.GetValue(Endpoint),
                parse.GetValue(Region),
                parse.GetValue(PathStyle),
                parse.GetValue(Folder)
            ),
        };
        request.Check();
        return request;
    }

    /// <summary>Names that commas separate.</summary>
    public static IReadOnlyList<string> List(string text) =>
        text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    public static ArchiverException Wrong(string message) => new(FailureKind.Configuration, message);

    /// <summary>Nothing of it is shown, nor what the driver says of it: that repeats parts.</summary>
    private static NpgsqlConnectionStringBuilder ConnectionOf(string text)
    {
        try
        {
            var connection = new NpgsqlConnectionStringBuilder(text);
            if (connection.Host is { Length: > 0 })
            {
                _ = ConnectionText.Of(text, pooling: false);
                return connection;
            }
        }
        catch (Exception exception)
            when (exception
                    is ArgumentException
                        or FormatException
                        or InvalidOperationException
                        or KeyNotFoundException
                        or NotSupportedException
                        or OverflowException
            )
        {
            // Said below: whatever it was, the text is none.
        }
        throw Wrong(
            "--connection must be a connection string of Npgsql that names a Host, such as "
                + "'Host=db;Database=chat;Username=archiver' (value not shown)."
        );
    }

    private static Option<string?> Text(string name, string description, string helpName) =>
        new(name) { Description = description, HelpName = helpName };

    private static Option<string> Text(string name, string description, string helpName, string otherwise) =>
        new(name)
        {
            Description = description,
            HelpName = helpName,
            DefaultValueFactory = _ => otherwise,
        };
}
