using System.CommandLine;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver presets</c>: the applications whose mapping is built in.</summary>
internal sealed class PresetsVerb(Terminal terminal) : IUnconfiguredVerb
{
    private static readonly Argument<string?> Name = new("name")
    {
        Description = "Print this preset: a JSON object whose Tables are what Archiver:Sources:{name}:Tables would hold",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Describe() =>
        new(
            "presets",
            """
            Lists the applications whose tables the archiver knows, or prints one mapping. Needs no configuration.
            Example: archiver presets dify
            """
        )
        {
            Name,
            VerbOptions.Json,
        };

    public Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var json = parse.GetValue(VerbOptions.Json);
        if (parse.GetValue(Name) is { } name)
        {
            var preset = Presets.Find(name)
                ?? throw new ArchiverException(
                    FailureKind.Configuration,
                    $"There is no preset '{Visible.Text(name)}'. There are: {Presets.List}."
                );
            terminal.Out.WriteLine(preset.Json.TrimEnd());
            return Task.FromResult(ExitCode.Done);
        }
        var presets = Presets.Names.Select(Presets.Get).Select(p => new PresetJson(p.Name, p.Application, p.Version)).ToList();
        if (json)
        {
            terminal.WriteJson(presets);
            return Task.FromResult(ExitCode.Done);
        }
        var table = new TextTable("PRESET", "APPLICATION", "VERSION");
        foreach (var preset in presets)
            table.Add(preset.Name, preset.Application, preset.Version);
        table.Write(terminal);
        return Task.FromResult(ExitCode.Done);
    }
}
