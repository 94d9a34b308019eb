using System.CommandLine;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Commands;

/// <summary>The argument <c>source</c> or <c>source/policy</c> of the verbs that steer policies.</summary>
internal static class PolicyName
{
    public static Argument<string> Required { get; } = new("source/policy") { Description = "The policy" };

    public static Argument<string?> Optional { get; } =
        new("source[/policy]")
        {
            Description = "A source or one of its policies; everything unless given",
            Arity = ArgumentArity.ZeroOrOne,
        };

    /// <summary>Both parts; the policy is null when only a source is named.</summary>
    public static (string Source, string? Policy) Split(string name) =>
        name.Split('/') switch
        {
            [var source] => (source, null),
            [var source, var policy] => (source, policy),
            _ => throw new ArchiverException(FailureKind.Configuration, $"'{Visible.Text(name)}' is not a name such as main or main/idle."),
        };
}
