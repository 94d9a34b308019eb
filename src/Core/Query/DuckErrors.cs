using System.Text.RegularExpressions;
using Archiver.Core.Diagnostics;
using DuckDB.NET.Data;

namespace Archiver.Core.Query;

/// <summary>
/// What DuckDB says, for a person: without the text of the SQL and without values, which may be what somebody wrote in a chat.
/// </summary>
internal static partial class DuckErrors
{
    /// <param name="exception">What DuckDB said.</param>
    /// <param name="limits">What it had, for the advice.</param>
    public static ArchiverException Explain(DuckDBException exception, QueryLimits limits)
    {
        var message = Text(exception.Message);
        if (message.StartsWith("Permission Error", StringComparison.Ordinal))
            return new(
                FailureKind.Refused,
                "The SQL asks for a file, a URL or an extension: it may read the archive's views and nothing else.",
                exception
            );
        if (message.StartsWith("Out of Memory Error", StringComparison.Ordinal))
            return Failed(
                $"The SQL needs more than its {limits.Memory >> 20} MiB of memory, or more room to spill than TMPDIR has. Give "
                    + "it more: --memory 2GB"
            );
        if (message.StartsWith("IO Error", StringComparison.Ordinal))
            return Failed(
                $"The folder for temporary files, or for the result, cannot be used: {message}. Free space, or let TMPDIR name another."
            );
        // Only what a value does at run time is no fault of the SQL as such.
        return
            message.StartsWith("Conversion Error", StringComparison.Ordinal)
            || message.StartsWith("Out of Range Error", StringComparison.Ordinal)
            ? Failed($"The SQL cannot be run: {message}. TRY_CAST, and TRY around an expression, give NULL instead.")
            : new(
                FailureKind.Configuration,
                $"The SQL cannot be run: {message}. The views and their columns: archiver query \"SHOW ALL TABLES\"",
                exception
            );

        ArchiverException Failed(string said) => new(FailureKind.Failed, said, exception);
    }

    /// <summary>What a statement is refused for before it reads is its own: names in double quotes, literals in single ones.</summary>
    private static string Text(string message)
    {
        var end = message.IndexOf("\nLINE ", StringComparison.Ordinal);
        var text = (end < 0 ? message : message[..end]).Trim().TrimEnd('.').Replace("\n", " ", StringComparison.Ordinal);
        if (AboutStatement().IsMatch(text))
            return Literals().Replace(text, "'...'");
        return Kind().Match(text) is { Success: true } kind ? $"{kind.Value}: {Kept(kind.Value)}{Cast().Match(text).Value}" : "an error";

        static string Kept(string kind) => kind == "Conversion Error" ? "a value cannot be read" : "a value is not what it has to be";
    }

    // Of what happens while rows are read, DuckDB quotes values in single quotes, in double ones, or in none.
    [GeneratedRegex("^(Parser|Syntax|Binder|Catalog|Permission|Out of Memory|IO) Error")]
    private static partial Regex AboutStatement();

    [GeneratedRegex("^[A-Z][A-Za-z ]* Error(?=:)")]
    private static partial Regex Kind();

    [GeneratedRegex(
        "(?<=^Conversion Error.*)( to [A-Z][A-Z0-9_]*([(][0-9, ]+[)])?)? when casting from source column [A-Za-z_0-9]+$",
        RegexOptions.Singleline
    )]
    private static partial Regex Cast();

    [GeneratedRegex("'.*'", RegexOptions.Singleline)]
    private static partial Regex Literals();
}
