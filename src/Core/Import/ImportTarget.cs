using Archiver.Core.Reading;

namespace Archiver.Core.Import;

/// <summary>Where and how an import inserts.</summary>
/// <param name="Target">The tables.</param>
/// <param name="Options">What the user asked for.</param>
/// <param name="TimeZone">Zone of the source's times without a zone.</param>
/// <param name="ApplicationZone">Zone of the sessions in which the application's triggers fire there.</param>
internal sealed record ImportTarget(RestoreTarget Target, RestoreOptions Options, string TimeZone, string ApplicationZone);
