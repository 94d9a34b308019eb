using System.Globalization;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;

namespace Archiver.Core.Upload;

/// <summary>
/// One object a session. The plain key for the first archive of a session; <c>~2</c>, <c>~3</c>, ... for later generations and wherever an
/// object of that name is known already, such as one left by a crash.
/// </summary>
internal sealed class SessionLayout(RunContext run, ArchiveLedger ledger) : IObjectLayout
{
    public string Name => "session";

    public IEnumerable<PlannedObject> Plan(ExportedBatch batch) =>
        batch.Sessions.Select(s => new PlannedObject(s.Document.Content, [new(s, 0, s.Document.Content.Length)]));

    public async Task<IReadOnlyList<string>> ChooseKeysAsync(IReadOnlyList<PlannedUpload> uploads, CancellationToken cancellationToken)
    {
        var stems = uploads.Select(SessionOf).Select(s => ObjectKey.SessionStem(run.Source.Prefix, s.Month, s.Key)).ToList();
        var last = await ledger.LastNumbersAsync(stems, cancellationToken);
        return [.. uploads.Select((u, i) => Key(u, last[i]))];
    }

    private string Key(PlannedUpload upload, int last)
    {
        var session = SessionOf(upload);
        // After a conflict the upload's own pending row is the last one.
        var number = Math.Max(session.Generation, last + 1);
        var suffix = upload.Nonce ?? (number > 1 ? number.ToString(CultureInfo.InvariantCulture) : null);
        return ObjectKey.ForSession(run.Source.Prefix, session.Month, session.Key, suffix);
    }

    private static SelectedSession SessionOf(PlannedUpload upload) => upload.Planned.Members[0].Session.Session;
}
