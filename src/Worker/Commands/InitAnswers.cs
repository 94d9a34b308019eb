using Archiver.Core.Configuration;
using Archiver.Core.Discovery;
using Archiver.Core.Settings;

namespace Archiver.Worker.Commands;

/// <summary>What was said on the command line, or to a question, as names of what is in the database.</summary>
internal static class InitAnswers
{
    /// <exception cref="Core.Diagnostics.ArchiverException">
    /// The database has no such table or column, or no application of that name; kind Configuration.
    /// </exception>
    public static GivenAnswers Of(InitRequest request, DatabaseFacts facts)
    {
        if (request.Preset is { } preset && Presets.Find(preset) is null)
            throw InitOptions.Wrong($"There is no preset '{preset}'{DidYouMean.Hint(preset, Presets.Names)} Known: {Presets.List}.");
        if (request.Preset is { } wanted && !PresetMatch.Of(facts).Any(m => m.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase)))
            throw InitOptions.Wrong($"Preset {wanted} does not fit database {facts.Database}: {PresetMatch.WhyNot(facts, wanted)}.");
        var sessions = request.Sessions is { } name ? Table(facts, "--sessions", name) : null;
        var given = new GivenColumns(request.Key, request.Activity, request.User);
        if (sessions is null && given is not { Key: null, Activity: null, User: null })
            throw InitOptions.Wrong("--key, --activity and --user name columns of the table of sessions: name that, too, with --sessions.");
        if (sessions is not null)
        {
            var columns = (given.Key ?? [])
                .Select(k => ("--key", (string?)k))
                .Append(("--user", given.User))
                .Concat((given.Activity ?? []).Select(a => ("--activity", (string?)a)));
            foreach (var (option, column) in columns)
            {
                if (column is not null && sessions.Column(column) is null)
                    throw InitOptions.Wrong(
                        $"{option}: table {sessions.Table} has no column '{column}'; it has "
                            + $"{string.Join(", ", sessions.Columns.Select(c => c.Name))}."
                    );
            }
        }
        return new()
        {
            Preset = request.Preset,
            Sessions = sessions?.Table,
            Columns = given,
            Without = [.. request.Without.Select(w => Table(facts, "--without", w).Table)],
        };
    }

    /// <summary>A table by its name, with or without its schema, where that leaves no doubt.</summary>
    public static FoundTable Table(DatabaseFacts facts, string option, string name)
    {
        if (!TableName.TryParse(name, out var wanted))
            throw InitOptions.Wrong($"{option} must name a table such as public.chats, odd names in double quotes, but is '{name}'.");
        if (facts.Table(wanted!) is { } exact)
            return exact.Readable
                ? exact
                : throw InitOptions.Wrong(
                    $"{option}: role {facts.Role} may not read all rows of {exact.Table}. Grant it, or connect as another role."
                );
        var others = name.Contains('.', StringComparison.Ordinal) ? [] : facts.Tables.Where(t => t.Table.Name == wanted!.Name).ToList();
        return others switch
        {
            [var only] => only,
            [] => throw InitOptions.Wrong(
                $"{option}: database {facts.Database} has no table "
                    + $"{wanted}{DidYouMean.Hint(wanted!.ToString(), facts.Tables.Select(t => t.Table.ToString()))}"
            ),
            _ => throw InitOptions.Wrong($"{option}: {name} may be {string.Join(" or ", others.Select(t => t.Table))}: name its schema."),
        };
    }
}
