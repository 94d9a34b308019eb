using Archiver.Core.Settings;

namespace Archiver.Core.Discovery;

/// <summary>A mapping that was guessed, with what speaks for each part and what does not.</summary>
internal sealed record Proposal
{
    /// <summary>The known application whose schema this is; its mapping is not repeated.</summary>
    public string? Preset { get; init; }

    /// <summary>Its tables are in another schema than the preset says.</summary>
    public bool Moved { get; init; }

    public required ProposedSession Session { get; init; }

    /// <summary>What the policy asks of a session besides its age; of presets only.</summary>
    public string? Where { get; init; }

    /// <summary>Parents before their children.</summary>
    public required IReadOnlyList<ProposedChild> Children { get; init; }

    /// <summary>What a person should look at before anything is deleted, one sentence or two each.</summary>
    public required IReadOnlyList<string> Doubts { get; init; }

    /// <summary>What is not mapped although it looks as if it belonged to sessions.</summary>
    public required IReadOnlyList<string> LeftOut { get; init; }

    /// <summary>All mapped tables.</summary>
    public IEnumerable<TableName> Tables => Children.Select(c => c.Table).Prepend(Session.Table).Distinct();
}

/// <summary>The session table.</summary>
/// <param name="Why">What speaks for it, for a comment.</param>
internal sealed record ProposedSession(TableName Table, string Why)
{
    /// <summary>
    /// The child whose rows make the sessions, where these have no row of their own; then <see cref="Table"/> is that child's.
    /// </summary>
    public string? From { get; init; }

    public required KeyColumns Key { get; init; }

    public string? ExternalId { get; init; }

    public required IReadOnlyList<TimeColumn> Activity { get; init; }

    /// <summary>That is the creation, because nothing in the row says more: only messages can tell that a session is in use.</summary>
    public bool OnlyCreated { get; init; }

    public string? User { get; init; }

    public TimeColumn? Created { get; init; }

    public TimeColumn? Ended { get; init; }

    public TimeColumn? Deleted { get; init; }

    public TimeColumn? Expires { get; init; }

    /// <summary>Columns that runs set where rows stay; of presets only.</summary>
    public string? Archived { get; init; }

    public string? ArchiveLocation { get; init; }

    public string? Status { get; init; }

    /// <summary>A column that would keep archived sessions listable.</summary>
    public string? Title { get; init; }
}

/// <summary>A table below it.</summary>
/// <param name="Name">As the mapping calls it.</param>
/// <param name="Why">What speaks for it, for a comment.</param>
internal sealed record ProposedChild(string Name, TableName Table, string Why)
{
    public required string Parent { get; init; }

    /// <summary>Null, as <see cref="ParentKey"/>, of the child whose rows make the sessions.</summary>
    public KeyColumns? ForeignKey { get; init; }

    public KeyColumns? ParentKey { get; init; }

    public KeyColumns? Key { get; init; }

    public required IReadOnlyList<string> Order { get; init; }

    public TimeColumn? Time { get; init; }

    public TimeColumn? Deleted { get; init; }

    /// <summary>A preset's own child: it is not repeated.</summary>
    public bool OfPreset { get; init; }
}
