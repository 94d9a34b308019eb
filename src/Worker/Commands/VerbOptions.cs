using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Archiver.Worker.Commands;

/// <summary>Options that several verbs share, so that they mean the same everywhere.</summary>
internal static class VerbOptions
{
    private static readonly string[] DateForms =
    [
        "yyyy-MM-dd",
        "yyyy-MM-dd'T'HH:mmzzz",
        "yyyy-MM-dd'T'HH:mm:sszzz",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz",
    ];

    public static Option<string?> Source { get; } =
        new("--source", "-s") { Description = "Name of the source; all sources unless given", HelpName = "name" };

    public static Option<string?> Policy { get; } =
        new("--policy", "-p") { Description = "Name of the policy, or source/policy; all policies unless given", HelpName = "name" };

    public static Option<bool> Yes { get; } = new("--yes", "-y") { Description = "Do it; without, only say what would be done" };

    public static Option<bool> Json { get; } = new("--json") { Description = "Print JSON, for programs" };

    /// <summary>A whole number above zero.</summary>
    public static Option<int?> Count(string name, string description) =>
        Typed<int?>(name, description, "n", $"a whole number from 1 to {int.MaxValue}", text =>
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && n >= 1 ? n : null
        );

    /// <summary>A value of a type; the library would name that by its .NET name to a person who mistyped one.</summary>
    /// <param name="name">The option.</param>
    /// <param name="description">For the help.</param>
    /// <param name="helpName">Stands for the value there.</param>
    /// <param name="kind">What it must be, in words.</param>
    /// <param name="read">Null for a text that is none.</param>
    public static Option<T> Typed<T>(string name, string description, string helpName, string kind, Func<string, T> read) =>
        new(name)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result =>
            {
                var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
                if (read(text) is { } value)
                    return value;
                result.AddError($"{name} must be {kind}, but is '{text}'.");
                return default;
            },
        };

    /// <summary>One of some words.</summary>
    public static Option<string?> Word(string name, string description, IReadOnlyList<string> words)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = string.Join('|', words) };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !words.Contains(token.Value))
                result.AddError($"{name} must be one of {string.Join(", ", words)}, but is '{token.Value}'.");
        });
        option.CompletionSources.Add([.. words]);
        return option;
    }

    /// <summary>A date (UTC), or a time with its offset: without one nobody could tell which instant is meant.</summary>
    public static Option<DateTimeOffset?> Instant(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "date",
            CustomParser = result => Parse(name, result),
        };

    /// <summary>What is wrong with a text that should be a date.</summary>
    public static string NoDate(string name, string text) =>
        $"{name} must be a date such as 2026-01-31, or a time with its offset such as 2026-01-31T02:00:00Z, but is '{text}'.";

    /// <summary>Reads a date as <see cref="Instant"/> does.</summary>
    public static bool TryParse(string text, out DateTimeOffset instant)
    {
        // "zzz" takes +02:00 only; Z is what most programs write.
        var value = text.EndsWith('Z') ? $"{text[..^1]}+00:00" : text;
        return DateTimeOffset.TryParseExact(value, DateForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out instant);
    }

    private static DateTimeOffset? Parse(string name, ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (TryParse(text, out var instant))
            return instant;
        result.AddError(NoDate(name, text));
        return null;
    }
}
