using Archiver.Core.Ledger;
using Archiver.Core.Sources;

namespace Archiver.Core.Bucket;

/// <summary>What was erased from one source: it must not come back.</summary>
internal sealed class TombstoneSet
{
    private readonly Dictionary<(char Kind, string Hash), DateTimeOffset> _erased = [];
    private readonly TombstoneKey? _key;
    private readonly IReadOnlyList<string> _names;
    private readonly ColumnShape? _users;

    /// <param name="key">Null only without tombstones.</param>
    /// <param name="names">Every name of the source: each erasure went under the name of its time.</param>
    /// <param name="tombstones">What was erased.</param>
    /// <param name="users">The user column, by which spellings of one user are known; null where none is mapped.</param>
    public TombstoneSet(
        TombstoneKey? key,
        IReadOnlyList<string> names,
        IReadOnlyCollection<Tombstone> tombstones,
        ColumnShape? users = null
    )
    {
        _users = users;
        _key = key;
        _names = names;
        Tombstones = tombstones;
        foreach (var tombstone in tombstones)
        {
            var hash = (tombstone.Kind, tombstone.Hash);
            if (!_erased.TryGetValue(hash, out var known) || known < tombstone.ErasedAt)
                _erased[hash] = tombstone.ErasedAt;
        }
    }

    /// <summary>Nothing was erased.</summary>
    public static TombstoneSet Empty { get; } = new(null, [], []);

    public IReadOnlyCollection<Tombstone> Tombstones { get; }

    public bool IsEmpty => _erased.Count == 0;

    /// <summary>Those of a smaller set of names.</summary>
    public TombstoneSet Only(IReadOnlySet<string> names) => new(_key, _names, [.. Tombstones.Where(t => names.Contains(t.Name))], _users);

    /// <summary>
    /// Whether a session, or a copy of it, was erased. An erasure leaves no row, so what began or was copied after it only bears the same
    /// id or user, as a new conversation under an old key does. What neither is known of counts as erased.
    /// </summary>
    /// <param name="session">Its key as text.</param>
    /// <param name="user">Its user, if known.</param>
    /// <param name="created">When it began, if known.</param>
    /// <param name="copied">When the copy was made, if it is one. It stands for the beginning where that is not known.</param>
    public bool Covers(string session, string? user, DateTimeOffset? created, DateTimeOffset? copied)
    {
        if (IsEmpty)
            return false;
        // A time of creation that is later than the copy is wrong, and must not make the copy of an erased session a new one.
        var began = (created is null || copied < created ? copied : created) ?? DateTimeOffset.MinValue;
        return Find(Tombstone.Session, session) >= began || (user is not null && FindUser(user) >= began);
    }

    /// <summary>Whether a session of this key was ever erased.</summary>
    public bool CoversSession(string session) => !IsEmpty && Find(Tombstone.Session, session) is not null;

    /// <summary>Whether a user was ever erased.</summary>
    public bool CoversUser(string user) => !IsEmpty && FindUser(user) is not null;

    private DateTimeOffset? FindUser(string user) => SameUser.Spellings(_users, user).Select(u => Find(Tombstone.User, u)).Max();

    private DateTimeOffset? Find(char kind, string id) =>
        _names.Select(n => _erased.TryGetValue((kind, _key!.HashOf(kind, n, id)), out var at) ? at : (DateTimeOffset?)null).Max();
}
