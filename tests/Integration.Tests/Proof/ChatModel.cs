using Archiver.Core.Settings;

namespace Archiver.Integration.Tests.Proof;

/// <summary>What the sessions must be after so many steps.</summary>
internal sealed class ChatModel
{
    /// <summary>By their ids.</summary>
    public Dictionary<string, ModelSession> Sessions { get; } = [];

    /// <summary>What was done so far, in words.</summary>
    public List<string> Steps { get; } = [];

    /// <summary>The policy as it is configured now.</summary>
    public Policy Policy { get; set; } =
        new()
        {
            Source = "main",
            Name = "idle",
            Action = PolicyAction.Archive,
            IdleFor = TimeSpan.FromDays(90),
            RestoreGrace = TimeSpan.Zero,
        };

    /// <summary>Legal holds in force by their ids, each with what it covers.</summary>
    public Dictionary<long, Func<ModelSession, bool>> Holds { get; } = [];

    /// <summary>Id of the next message.</summary>
    public long NextMessage { get; set; } = 1;

    public IEnumerable<ModelSession> Live => Sessions.Values.Where(s => !s.Archived);

    public bool IsOld(ModelSession session) => session.Days > Policy.IdleFor!.Value.Days;

    public bool IsInGrace(ModelSession session) => session.Restored && Policy.RestoreGrace > TimeSpan.Zero;

    public bool IsHeld(ModelSession session) => Holds.Values.Any(covers => covers(session));

    public bool IsEligible(ModelSession session) => IsOld(session) && !IsInGrace(session) && !IsHeld(session);

    /// <summary>One line a session, in the order of their keys.</summary>
    public override string ToString() => string.Join('\n', Sessions.Values.Select(s => s.ToString()).Order(StringComparer.Ordinal));
}

/// <summary>A session as its user left it.</summary>
/// <param name="key">Its id.</param>
internal sealed class ModelSession(string key)
{
    public string Key { get; } = key;

    /// <summary>Whose it is; null for nobody's.</summary>
    public string? User { get; init; }

    /// <summary>It was created now, and used last so many days ago all the same.</summary>
    public bool BegunNow { get; init; }

    public int Days { get; set; }

    public bool Archived { get; set; }

    public bool Restored { get; set; }

    public SortedDictionary<long, string> Messages { get; } = [];

    /// <summary>Those that came since it was archived: they are in the table.</summary>
    public SortedSet<long> Late { get; } = [];

    public override string ToString() =>
        Archived
            ? $"{Key} archived {string.Join(',', Late)}"
            : $"{Key} live {string.Join(',', Messages.Select(m => $"{m.Key}:{m.Value}"))}";
}
