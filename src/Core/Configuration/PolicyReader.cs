using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Makes one policy; <see cref="PolicyRules"/> checks what its values mean together.</summary>
internal sealed class PolicyReader(ValueReader read, Func<string, string?>? cronProblem)
{
    /// <param name="raw">The policy as written.</param>
    /// <param name="source">Name of its source.</param>
    /// <param name="name">Name of the policy.</param>
    /// <param name="map">The source's mapping, or null where that could not be read.</param>
    public Policy Read(PolicyOptions raw, string source, string name, SourceMap? map)
    {
        var action = read.Choice<PolicyAction>(raw.Action);
        if (action is null)
            read.Missing(nameof(raw.Action), $"is required: one of {string.Join(", ", Enum.GetNames<PolicyAction>())}");
        var policy = With(
            raw,
            new()
            {
                Source = source,
                Name = name,
                Action = action ?? PolicyAction.Archive,
            }
        );
        if (cronProblem?.Invoke(policy.Cron) is { } problem)
            read.Problem(nameof(raw.Cron), $"{problem} (value {Visible.Value(policy.Cron)})");
        new PolicyRules(read, raw, map).Check(action, policy.Scope, policy.Delete);
        return policy;
    }

    private Policy With(PolicyOptions raw, Policy defaults) =>
        defaults with
        {
            IdleFor = read.Duration(raw.IdleFor, ValueReader.LongestAge),
            EndedFor = read.Duration(raw.EndedFor, ValueReader.LongestAge),
            DeletedFor = read.Duration(raw.DeletedFor, ValueReader.LongestAge),
            ExpiredFor = read.Duration(raw.ExpiredFor, ValueReader.LongestAge, zeroAllowed: true),
            MessagesOlderThan = read.Duration(raw.MessagesOlderThan, ValueReader.LongestAge),
            KeepLast = read.Count(raw.KeepLast),
            Status = read.Texts(raw.Status) ?? defaults.Status,
            Where = read.Text(raw.Where),
            Scope = read.Choice<PurgeScope>(raw.Scope) ?? defaults.Scope,
            Delete = read.Choice<DeleteMode>(raw.Delete) ?? defaults.Delete,
            DeleteAfter = read.Duration(raw.DeleteAfter, ValueReader.LongestAge, zeroAllowed: true) ?? defaults.DeleteAfter,
            RestoreGrace = read.Duration(raw.RestoreGrace, ValueReader.LongestAge, zeroAllowed: true) ?? defaults.RestoreGrace,
            Cron = read.Text(raw.Cron) ?? defaults.Cron,
            Order = read.Number(raw.Order) ?? defaults.Order,
            MaxSessions = read.Count(raw.MaxSessions),
            MaxDuration = read.Duration(raw.MaxDuration, ValueReader.LongestWait),
            DryRun = read.Flag(raw.DryRun) ?? defaults.DryRun,
            Paused = read.Flag(raw.Paused) ?? defaults.Paused,
        };
}
