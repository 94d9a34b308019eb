using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>
/// What the values of a policy must mean together, and which roles of the mapping they need. It looks at what is written, so that a
/// value that could not be read is not reported as missing too.
/// </summary>
internal sealed class PolicyRules(ValueReader read, PolicyOptions raw, SourceMap? map)
{
    public void Check(PolicyAction? action, PurgeScope scope, DeleteMode delete)
    {
        CheckAge();
        CheckRoles(scope);
        if (action == PolicyAction.Expire)
            CheckExpire();
        if (scope == PurgeScope.Messages)
            CheckMessages(action);
        if (action is PolicyAction.Purge or PolicyAction.Expire)
            CheckArchiveOnly(action.Value);
        if (map?.Session.HasRow is false && (delete == DeleteMode.Nothing || raw.DeleteAfter is not null))
            read.Problem(delete == DeleteMode.Nothing ? nameof(raw.Delete) : nameof(raw.DeleteAfter), "needs a row of the session to mark, and with Session:From sessions have none");
        if (delete == DeleteMode.Nothing && raw.DeleteAfter is not null)
            read.Problem(nameof(raw.DeleteAfter), "contradicts Delete Nothing: nothing will be deleted");
    }

    /// <summary>There is no default age: a forgotten line must not delete anything.</summary>
    private void CheckAge()
    {
        if ((raw.IdleFor ?? raw.EndedFor ?? raw.DeletedFor ?? raw.ExpiredFor) is null)
            read.Missing(nameof(raw.IdleFor), "is required unless EndedFor, DeletedFor or ExpiredFor is given; there is no default age");
    }

    private void CheckRoles(PurgeScope scope)
    {
        if (map is null)
            return;
        Needs(raw.EndedFor, nameof(raw.EndedFor), map.Session.Ended, nameof(map.Session.Ended));
        Needs(raw.ExpiredFor, nameof(raw.ExpiredFor), map.Session.Expires, nameof(map.Session.Expires));
        Needs(raw.Status is { Length: > 0 } ? "" : null, nameof(raw.Status), map.Session.Status, nameof(map.Session.Status));
        // For messages it is the child's column that counts.
        if (scope == PurgeScope.Sessions)
            Needs(raw.DeletedFor, nameof(raw.DeletedFor), map.Session.Deleted, nameof(map.Session.Deleted));
    }

    private void Needs(string? value, string key, object? column, string role)
    {
        if (value is not null && column is null)
            read.Problem(key, $"needs the role {role}, which the source does not map");
    }

    private void CheckExpire()
    {
        if ((raw.ExpiredFor ?? raw.IdleFor) is null)
            read.Missing(nameof(raw.ExpiredFor), "is required for action Expire unless IdleFor is given");
        if (map is not null && map.Session.Status is null)
            read.Problem(nameof(raw.Action), "Expire needs the role Status, which the source does not map");
    }

    private void CheckMessages(PolicyAction? action)
    {
        if (action is not (null or PolicyAction.Purge))
            read.Problem(nameof(raw.Scope), $"Messages is for action Purge only, but the action is {action}");
        if (raw.DeletedFor is null)
            read.Missing(nameof(raw.DeletedFor), "is required for scope Messages");
        if (map is not null && map.Children.All(c => c.Deleted is null))
            read.Problem(nameof(raw.Scope), "Messages needs a child with the role Deleted, which the source does not map");
    }

    private void CheckArchiveOnly(PolicyAction action)
    {
        if (raw.Delete is not null)
            read.Problem(nameof(raw.Delete), $"is for action Archive only, but the action is {action}");
        if (raw.DeleteAfter is not null)
            read.Problem(nameof(raw.DeleteAfter), $"is for action Archive only, but the action is {action}");
    }
}
