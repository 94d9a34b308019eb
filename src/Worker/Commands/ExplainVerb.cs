using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Policies;
using Archiver.Core.Reading;
using Archiver.Core.Selection;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver explain</c>: why a session is or is not taken.</summary>
internal sealed class ExplainVerb(
    PolicyChoice choice,
    SessionExplainer explainer,
    ArchiveLocator locator,
    Absence absence,
    SourceErrors errors,
    Terminal terminal
) : IVerb
{
    private static readonly Argument<string> Id = new("id") { Description = "Session key or external id" };

    public static Command Describe() =>
        new(
            "explain",
            """
            Says for each policy whether it takes a session now, which conditions keep it out, and the dates that decide.
            Example: archiver explain 0b9c6a52-4a3c-4d0b-9a52-0f6f3d1c9a10
            """
        )
        {
            Id,
            VerbOptions.Source,
            VerbOptions.Policy,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var id = parse.GetRequiredValue(Id);
        List<ExplanationJson> explanations = [];
        foreach (var (source, policy) in choice.Policies(parse.GetValue(VerbOptions.Source), parse.GetValue(VerbOptions.Policy)))
        {
            var explanation = await errors.ExplainAsync(source, () => explainer.ExplainAsync(source, policy, id, cancellationToken));
            if (explanation.SessionId is not null)
                explanations.Add(ExplanationJson.Of(policy, explanation));
        }
        if (explanations.Count == 0)
            throw await AbsentAsync(parse, id, cancellationToken);
        if (parse.GetValue(VerbOptions.Json))
            terminal.WriteJson(explanations);
        else
            explanations.ForEach(Write);
        return ExitCode.Done;
    }

    private async Task<ArchiverException> AbsentAsync(ParseResult parse, string id, CancellationToken cancellationToken)
    {
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
        {
            if (
                await errors.ExplainAsync(source, () => locator.FindAsync(source.Name, id, generation: null, cancellationToken)) is
                { } archive
            )
                return new(
                    FailureKind.Failed,
                    $"Session '{id}' is not in the table of source '{source.Name}': the ledger has generation "
                        + $"{archive.Generation} of it as {archive.State}. See it with: archiver show {id}"
                );
        }
        return await absence.AbsentAsync(
            parse.GetValue(VerbOptions.Source),
            id,
            $"No configured source has a session '{id}', in its table or in the ledger.",
            cancellationToken
        );
    }

    private static string Dates(ConditionJson condition) =>
        condition switch
        {
            { Before: null } => "",
            { Date: null, Reason: EligibilityPredicate.UnknownActivity } => " has no date",
            { Date: null } => "",
            _ => $" {condition.Date}, {(condition.Met ? "" : "not ")}before {condition.Before:yyyy-MM-dd HH:mm:ss'Z'}",
        };

    private void Write(ExplanationJson explanation)
    {
        terminal.WriteLine($"{explanation.Source}/{explanation.Policy}: {(explanation.Eligible ? "the next run takes it" : "stays")}");
        // Of a session that goes, the dates that say so; of one that stays, what keeps it.
        foreach (
            var condition in explanation.Conditions.Where(c =>
                explanation.Eligible ? c is { Reason: not EligibilityPredicate.UnknownActivity, Date: not null } : !c.Met
            )
        )
            terminal.WriteLine($"  {(explanation.Eligible ? "" : $"{condition.Reason}: ")}{condition.Subject}{Dates(condition)}");
    }
}
