using System.Text.Json;
using Archiver.Core.Ledger;

namespace Archiver.Worker.Output;

/// <summary>One archive as <c>list --json</c> prints it.</summary>
internal sealed record ListedJson(
    string Source,
    long Id,
    string SessionId,
    string? ExternalId,
    int Generation,
    string State,
    string? UserId,
    string? LastActivity,
    long Messages,
    string Object,
    long Offset,
    long Length,
    string? ArchivedAt,
    string Policy,
    JsonElement? Keep,
    bool Part
)
{
    public static ListedJson Of(string source, ListedArchive a) =>
        new(
            source,
            a.Id,
            a.SessionId,
            a.ExternalId,
            a.Generation,
            a.State,
            a.User,
            a.LastActivity,
            a.Messages,
            a.Key,
            a.Offset,
            a.Length,
            a.ArchivedAt,
            a.Policy,
            a.Keep is null ? null : JsonElement.Parse(a.Keep),
            a.Part
        );
}
