using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Ledger;

/// <summary>
/// What a person accepts when accepting a policy: everything that decides which sessions it takes and what happens to them, but not how old
/// they must be. Another table, column, condition or action is another policy.
/// </summary>
internal static class PolicyHash
{
    /// <summary>SHA-256 in hex; stable across versions and processes.</summary>
    public static string Of(SourceSettings source, Policy policy)
    {
        JsonArray parts = new(
            policy.Action.ToString(),
            policy.KeepLast is { } last ? $"{policy.Scope} but the last {last}" : policy.Scope.ToString(),
            policy.Delete.ToString(),
            policy.Where,
            PlainJson.Texts(policy.Status.Order(StringComparer.Ordinal)),
            PlainJson.Texts(Ages(policy).Keys),
            source.TimeZone,
            source.Map.Session.Table.Sql,
            source.Map.Session.HasRow ? source.Map.Session.Key.ToString() : $"{source.Map.Session.Key} of {source.Map.Session.From}",
            PlainJson.Texts(source.Map.Session.Activity.Select(a => a.ToString())),
            source.Map.Session.Ended?.ToString(),
            source.Map.Session.Deleted?.ToString(),
            source.Map.Session.Expires?.ToString(),
            source.Map.Session.Status,
            new JsonArray([.. source.Map.Children.OrderBy(c => c.Name, StringComparer.Ordinal).Select(c => Parts(c, policy))])
        );
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(parts.ToJsonString())));
    }

    private static JsonArray Parts(ChildTable child, Policy policy) =>
        PlainJson.Texts([
            child.Name,
            Rows(child),
            child.Parent,
            child.ForeignKey.ToString(),
            child.Cast is null ? child.ParentKey.ToString() : $"{child.ParentKey}::{child.Cast}",
            child.Time?.ToString(),
            // A purge of messages takes the rows that this column says are deleted. No other policy asks it, and those keep their hash.
            .. policy is { Action: PolicyAction.Purge, Scope: PurgeScope.Messages } ? [child.Deleted?.ToString()] : Array.Empty<string?>(),
        ]);

    private static string Rows(ChildTable child) => string.Join(" AND ", SessionPath.RowsOf(child, "t").Prepend(child.Table.Sql));

    /// <summary>The ages that the policy states, in seconds.</summary>
    public static SortedDictionary<string, double> Ages(Policy policy)
    {
        (string Name, TimeSpan? Age)[] ages =
        [
            (nameof(policy.IdleFor), policy.IdleFor),
            (nameof(policy.EndedFor), policy.EndedFor),
            (nameof(policy.DeletedFor), policy.DeletedFor),
            (nameof(policy.ExpiredFor), policy.ExpiredFor),
            (nameof(policy.MessagesOlderThan), policy.MessagesOlderThan),
        ];
        return new(ages.Where(a => a.Age is not null).ToDictionary(a => a.Name, a => a.Age!.Value.TotalSeconds), StringComparer.Ordinal);
    }
}
