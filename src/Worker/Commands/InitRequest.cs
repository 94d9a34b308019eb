using Archiver.Core.Diagnostics;
using Archiver.Core.Discovery;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Worker.Commands;

/// <summary>What a person wants of <see cref="InitVerb"/>.</summary>
internal sealed record InitRequest
{
    public required NpgsqlConnectionStringBuilder Connection { get; init; }

    /// <summary>The file to write, absolute.</summary>
    public required string Output { get; init; }

    public required string? Sql { get; init; }

    public required bool Force { get; init; }

    public required string? Preset { get; init; }

    public required string? Sessions { get; init; }

    public required KeyColumns? Key { get; init; }

    public required IReadOnlyList<string>? Activity { get; init; }

    public required string? User { get; init; }

    public required IReadOnlyList<string> Without { get; init; }

    public required string Name { get; init; }

    public required string IdleFor { get; init; }

    public required string Role { get; init; }

    public required bool WritePassword { get; init; }

    public required ProposedStorage Storage { get; init; }

    /// <summary>What can be judged without the database.</summary>
    /// <exception cref="ArchiverException">A value is none, or two exclude each other; kind Configuration.</exception>
    public void Check()
    {
        if (Storage is { Folder: not null, Bucket: not null })
            throw InitOptions.Wrong("--bucket and --folder exclude each other.");
        if (!Duration.TryParse(IdleFor, out var idle) || idle == TimeSpan.Zero)
            throw InitOptions.Wrong($"--idle-for must be {Duration.Form}, above zero, but is '{IdleFor}'.");
        if (Names.Limit(Name) is { } limit)
            throw InitOptions.Wrong($"--name {limit}.");
        if (Role.Length == 0 || Role.Any(c => c == '$' || char.IsControl(c)))
            throw InitOptions.Wrong("--role must be the name of a role, without $ and control characters.");
        if (Preset is not null && Sessions is not null)
            throw InitOptions.Wrong("--preset and --sessions exclude each other: a preset names its table.");
        foreach (var file in new[] { Output, Sql }.OfType<string>().Where(f => File.Exists(f) && !Force))
            throw InitOptions.Wrong($"{file} is there already, and stays as it is: name another file, or write over it with --force.");
    }
}
