using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Pipelines;

/// <summary>What the runs of a process share.</summary>
/// <param name="Settings">What is configured.</param>
/// <param name="Store">Where objects are.</param>
/// <param name="Retry">Repeats what a passing fault of the database broke.</param>
/// <param name="Batches">Measures phases; null where nobody looks at them.</param>
/// <param name="Time">Measures and waits.</param>
/// <param name="Logger">Of all runs.</param>
internal sealed record RunServices(
    ArchiverSettings Settings,
    IArchiveStore Store,
    DatabaseRetry Retry,
    BatchMeter? Batches,
    TimeProvider Time,
    ILogger Logger
);
