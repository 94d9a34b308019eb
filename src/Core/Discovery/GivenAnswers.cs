using Archiver.Core.Settings;

namespace Archiver.Core.Discovery;

/// <summary>What a person said already; null is left to guess.</summary>
internal sealed record GivenAnswers
{
    public string? Preset { get; init; }

    public TableName? Sessions { get; init; }

    public GivenColumns Columns { get; init; } = new();

    /// <summary>Tables to leave out.</summary>
    public IReadOnlyList<TableName> Without { get; init; } = [];
}
