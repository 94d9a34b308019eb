using Archiver.Core.Reading;
using Archiver.Core.Settings;

namespace Archiver.Worker.Http;

/// <summary>What <c>POST /archives/{session_id}/restore</c> may say; all of it may be left out.</summary>
internal sealed record RestoreBody
{
    public string? Source { get; init; }

    public int? Generation { get; init; }

    public ConflictMode OnConflict { get; init; }

    public bool Reactivate { get; init; }

    public bool DryRun { get; init; }

    public RestoreOptions Options(SourceSettings source, LocatedArchive archive, string who) =>
        new()
        {
            Source = source.Name,
            Who = who,
            Ids = [archive.SessionId],
            Generation = Generation,
            OnConflict = OnConflict,
            Reactivate = Reactivate,
            DryRun = DryRun,
        };
}
