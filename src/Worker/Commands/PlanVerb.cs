using System.CommandLine;
using System.Globalization;
using Archiver.Core.Pipelines;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver plan</c>: what each policy would do now. Changes nothing.</summary>
internal sealed class PlanVerb(PolicyChoice choice, PolicyPreview preview, SourceErrors errors, Terminal terminal) : IVerb
{
    private const int DefaultSessions = 10;

    private static readonly Option<int?> Sessions = VerbOptions.Count(
        "--sessions",
        $"Show so many sessions per policy; {DefaultSessions} unless given"
    );

    public static Command Describe() =>
        new(
            "plan",
            """
            Shows what each policy would do now: how many sessions, how much, the first ones, and why the others stay. Changes nothing.
            Example: archiver plan --policy idle --sessions 50
            """
        )
        {
            VerbOptions.Source,
            VerbOptions.Policy,
            Sessions,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        List<PlanJson> plans = [];
        foreach (var (source, policy) in choice.Policies(parse.GetValue(VerbOptions.Source), parse.GetValue(VerbOptions.Policy)))
        {
            var most = parse.GetValue(Sessions) ?? DefaultSessions;
            var plan = await errors.ExplainAsync(source, () => preview.ReadAsync(source, policy, most, cancellationToken));
            plans.Add(PlanJson.Of(policy, plan));
            if (parse.GetValue(VerbOptions.Json))
                continue;
            // They are the source's, not the policy's: once.
            foreach (var warning in plans.Count(p => p.Source == source.Name) == 1 ? plan.Warnings : [])
                terminal.WriteLine($"{source.Name}: {warning}");
            Write(plans[^1]);
        }
        if (parse.GetValue(VerbOptions.Json))
            terminal.WriteJson(plans);
        return ExitCode.Done;
    }

    private void Write(PlanJson plan)
    {
        terminal.WriteLine(
            $"{plan.Source}/{plan.Policy} ({plan.Action}): takes {plan.Eligible.ToString(CultureInfo.InvariantCulture)} of "
                + $"{Amount.Of(plan.Total, "session")}"
        );
        if (plan.Eligible > 0)
            terminal.WriteLine($"  {Amount.Of(plan.Rows, "row")}, about {Amount.Bytes(plan.Bytes)}, the oldest last active {plan.Oldest}");
        if (plan.Due > 0)
            terminal.WriteLine($"  {Amount.Of(plan.Due, "stored session")} due: verified again, then their rows are deleted");
        if (plan.NeedsAcceptance)
            terminal.WriteLine(
                "  a run stops before it changes anything: more than Safety:MaxShare. If that is right: archiver accept "
                    + $"{plan.Source}/{plan.Policy}"
            );
        foreach (var (reason, sessions) in plan.Excluded)
            terminal.WriteLine($"  {Amount.Of(sessions, "session")} left: {reason}");
        foreach (var (other, sessions) in plan.Overlaps)
            terminal.WriteLine($"  {Amount.Of(sessions, "session")} also taken by {other}: the policy that runs first gets them");
        var table = new TextTable("SESSION", "USER", "INACTIVE FOR", "MESSAGES");
        foreach (var session in plan.Sessions)
            table.Add(
                session.SessionId,
                session.UserId ?? "-",
                session.InactiveFor is { } age ? Amount.Age(age) : "-",
                session.Messages.ToString(CultureInfo.InvariantCulture)
            );
        table.Write(terminal, "  ");
        if (plan.Eligible > plan.Sessions.Count)
            terminal.WriteLine($"  and {Amount.Of(plan.Eligible - plan.Sessions.Count, "more session")}");
    }
}
