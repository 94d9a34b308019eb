namespace Archiver.Core.Configuration;

/// <summary>One entry of <c>Policies</c> as written. <see cref="PolicyReader"/> makes the policy.</summary>
internal sealed class PolicyOptions
{
    public string? Action { get; set; }

    public string? IdleFor { get; set; }

    public string? EndedFor { get; set; }

    public string? DeletedFor { get; set; }

    public string? ExpiredFor { get; set; }

    public string? MessagesOlderThan { get; set; }

    public string? KeepLast { get; set; }

    public string[]? Status { get; set; }

    public string? Where { get; set; }

    public string? Scope { get; set; }

    public string? Delete { get; set; }

    public string? DeleteAfter { get; set; }

    public string? RestoreGrace { get; set; }

    public string? Cron { get; set; }

    public string? Order { get; set; }

    public string? MaxSessions { get; set; }

    public string? MaxDuration { get; set; }

    public string? DryRun { get; set; }

    public string? Paused { get; set; }
}
