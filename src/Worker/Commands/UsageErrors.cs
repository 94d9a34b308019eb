using System.CommandLine;
using System.CommandLine.Parsing;
using Archiver.Core.Configuration;

namespace Archiver.Worker.Commands;

/// <summary>
/// What is wrong with a command line, for a person: the library's own messages name neither what was meant nor what is needed.
/// </summary>
internal static class UsageErrors
{
    /// <summary>At least one; the last one says where to read more.</summary>
    public static IReadOnlyList<string> Of(ParseResult parse)
    {
        var command = parse.CommandResult.Command;
        // What follows an option that is not known is most likely its value.
        var options = parse.UnmatchedTokens.Where(t => t.StartsWith('-')).ToList();
        List<string> errors = [.. (options.Count > 0 ? options : parse.UnmatchedTokens).Select(t => Unknown(command, t))];
        if (errors.Count == 0 && command.Subcommands.Count > 0 && command is not RootCommand)
            errors.Add($"{Name(command)} needs one of: {string.Join(", ", command.Subcommands.Select(c => c.Name))}.");
        else if (errors.Count == 0 || command.Subcommands.Count == 0)
            errors.AddRange(
                parse.Errors.Where(e => !parse.UnmatchedTokens.Any(t => e.Message.Contains($"'{t}'", StringComparison.Ordinal))).Select(Of)
            );
        errors[^1] = $"{errors[^1]} See: {Name(command)} --help";
        return errors;
    }

    private static string Of(ParseError error) =>
        error.SymbolResult switch
        {
            ArgumentResult { Tokens.Count: 0, Parent: OptionResult { Option: var option } } =>
                $"{option.Name} needs a value: {option.Name} <{option.HelpName}>.",
            OptionResult { Tokens.Count: 0, Option: { Arity.MinimumNumberOfValues: > 0 } option } result
                when result.IdentifierToken is not null => $"{option.Name} needs a value: {option.Name} <{option.HelpName}>.",
            ArgumentResult { Tokens.Count: 0, Argument: var argument, Parent: CommandResult { Command: var of } } =>
                $"{Name(of)} needs {argument.Name}: {Lower(argument.Description)}.",
            _ => error.Message,
        };

    private static string Unknown(Command command, string token)
    {
        if (token.StartsWith('-'))
            return $"{Name(command)} has no option {token}{Hint(token, Options(command))}";
        return command.Subcommands.Count > 0
            ? "There is no command "
                + $"'{token}'{(command is RootCommand ? "" : $" of {Name(command)}")}{Hint(token, command.Subcommands.Select(c => c.Name))}"
            : $"{Name(command)} takes no '{token}'{(command.Arguments.Count > 0 ? " beside what was given" : "")}.";
    }

    private static string Hint(string word, IEnumerable<string> known) => DidYouMean.Hint(word, known) is { Length: > 0 } hint ? hint : ".";

    private static IEnumerable<string> Options(Command command) =>
        command.Options.Concat(command.Parents.OfType<Command>().SelectMany(p => p.Options.Where(o => o.Recursive))).Select(o => o.Name);

    private static string Name(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{Name(parent)} {command.Name}" : "archiver";

    private static string Lower(string? text) => text is { Length: > 0 } ? $"{char.ToLowerInvariant(text[0])}{text[1..]}" : "a value";
}
