using Archiver.Core.Reading;

namespace Archiver.Worker.Pages;

/// <summary>The question before a restore.</summary>
internal sealed record RestoreModel(LocatedArchive Archive);
