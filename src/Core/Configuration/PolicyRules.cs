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
        if (raw.Status is [])
            read.Problem(nameof(raw.Status), "must list at least one status: a list without any would not choose");
        var parts = action == PolicyAction.Archive && scope == PurgeScope.Messages;
        if (parts)
            CheckParts();
        else
            CheckWhole();
        CheckRoles(scope);
        if (action == PolicyAction.Expire)
            CheckExpire();
        if (scope == PurgeScope.Messages && !parts)
            CheckMessages(action);
        if (action is PolicyAction.Purge or PolicyAction.Expire)
            CheckArchiveOnly(action.Value);
        if (map?.Session.HasRow is false && (delete == DeleteMode.Nothing || raw.DeleteAfter is not null))
            read.Problem(
                delete == DeleteMode.Nothing ? nameof(raw.Delete) : nameof(raw.DeleteAfter),
                "needs a row of the session to mark, and with Session:From sessions have none"
            );
        if (delete == DeleteMode.Nothing && raw.DeleteAfter is not null)
            read.Problem(nameof(raw.DeleteAfter), "contradicts Delete Nothing: nothing will be deleted");
    }

    /// <summary>There is no default age: a forgotten line must not delete anything.</summary>
    private void CheckWhole()
    {
        Refuse(
            "is for action Archive with scope Messages only",
            (nameof(raw.MessagesOlderThan), raw.MessagesOlderThan),
            (nameof(raw.KeepLast), raw.KeepLast)
        );
        if ((raw.IdleFor ?? raw.EndedFor ?? raw.DeletedFor ?? raw.ExpiredFor) is null)
            read.Missing(nameof(raw.IdleFor), "is required unless EndedFor, DeletedFor or ExpiredFor is given; there is no default age");
    }

    private void Refuse(string why, params (string Name, string? Value)[] keys)
    {
        foreach (var (name, _) in keys.Where(k => k.Value is not null))
            read.Problem(name, why);
    }

    private void CheckRoles(PurgeScope scope)
    {
        if (map is null)
            return;
        Needs(raw.EndedFor, nameof(raw.EndedFor), map.Session.Ended, nameof(map.Session.Ended));
        Needs(raw.ExpiredFor, nameof(raw.ExpiredFor), map.Session.Expires, nameof(map.Session.Expires));
        Needs(raw.Status is { Length: > 0 } ? "" : null, nameof(raw.Status), map.Session.Status, nameof(map.Session.Status));
        // For messages it is the child's column that counts, and where parts are archived there is no such age.
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

    /// <summary>Old messages of sessions that live on: what is an age of sessions, or marks a session, has no meaning there.</summary>
    private void CheckParts()
    {
        if ((raw.MessagesOlderThan ?? raw.KeepLast) is null)
            read.Missing(
                nameof(raw.MessagesOlderThan),
                "is required for scope Messages of Archive unless KeepLast is given: "
                    + "how old a message must be, such as 90d, or how many of the newest stay; there is no default age"
            );
        Refuse(
            "is an age of whole sessions, and with scope Messages of Archive these live on: "
                + "write MessagesOlderThan, the age of a message, or KeepLast, how many of the newest stay",
            (nameof(raw.IdleFor), raw.IdleFor),
            (nameof(raw.EndedFor), raw.EndedFor),
            (nameof(raw.DeletedFor), raw.DeletedFor),
            (nameof(raw.ExpiredFor), raw.ExpiredFor)
        );
        Refuse(
            "marks sessions, and scope Messages archives parts of sessions, which no mark can tell: its messages are deleted in the run "
                + "that stores them",
            (nameof(raw.Delete), raw.Delete),
            (nameof(raw.DeleteAfter), raw.DeleteAfter)
        );
        if (map is null)
            return;
        if (!map.Session.HasRow)
            read.Problem(
                nameof(raw.Scope),
                "Messages of Archive needs a row of the session, which stays, and with Session:From sessions have none: "
                    + "what comes later under an archived key is archived in its turn"
            );
        else if (map.Children.FirstOrDefault(c => c.Name == SourceMap.MessagesName) is not { } messages)
            read.Problem(
                nameof(raw.Scope),
                "Messages of Archive takes rows of the child named messages, and the source maps none of that name"
            );
        else if (messages.Parent != SourceMap.SessionName)
            read.Problem(
                nameof(raw.Scope),
                $"Messages of Archive needs the child messages right below the session, and its parent is {messages.Parent}"
            );
        else if (messages.Time is null)
            read.Problem(nameof(raw.Scope), "Messages of Archive needs to know how old a message is, and the child messages has no Time");
        else if (messages.Key is null)
            read.Problem(
                nameof(raw.Scope),
                "Messages of Archive needs the Key of the child messages: a restore must tell a message that is there from one that is not"
            );
        else if (
            raw.KeepLast is not null
            && (messages.Cast is not null || !messages.ParentKey.Order().SequenceEqual(map.Session.Key.Order()))
        )
            read.Problem(
                nameof(raw.KeepLast),
                "needs messages that point to the session's Key without a Cast: else all messages of all "
                    + "sessions would be ranked for each session"
            );
    }

    private void CheckMessages(PolicyAction? action)
    {
        if (action is not (null or PolicyAction.Purge))
            read.Problem(nameof(raw.Scope), $"Messages is for actions Archive and Purge only, but the action is {action}");
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
