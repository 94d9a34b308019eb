using System.Globalization;
using System.Text.Json.Nodes;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;

namespace Archiver.Core.Discovery;

/// <summary>Where archives go; what is null is left to fill in.</summary>
internal sealed record ProposedStorage(
    string? Bucket = null,
    string? Endpoint = null,
    string? Region = null,
    bool PathStyle = false,
    string? Folder = null
)
{
    /// <summary>Stands for a bucket that nobody named.</summary>
    public const string NoBucket = "FILL-IN-YOUR-BUCKET";

    public bool IsOpen => Bucket is null && Folder is null;
}

/// <summary>A proposal as a configuration, with its reasons as comments.</summary>
/// <param name="Source">Name of the source.</param>
/// <param name="ConnectionString">What is written of it.</param>
/// <param name="HasPassword">It holds the password, because somebody wanted that.</param>
/// <param name="Role">The archiver's role in the SQL.</param>
/// <param name="IdleFor">Age of the policy.</param>
internal sealed record ConfigurationText(
    DatabaseFacts Facts,
    Proposal Proposal,
    string Source,
    string ConnectionString,
    bool HasPassword,
    string Role,
    string IdleFor,
    ProposedStorage Storage
)
{
    public override string ToString()
    {
        var source = new CommentedJson();
        if (!HasPassword)
            source.Note(
                "Without its password: give that in PGPASSWORD or ~/.pgpass, or the whole string in a file that "
                    + $"Archiver__Sources__{Source}__ConnectionString__File names; then take it out here."
            );
        if (Facts.IsSuperuser)
            source.Note(
                $"{Facts.Role} is a superuser. The SQL makes role {Role}, which may do no more than runs need: "
                    + "give it a password, and name it here."
            );
        source.Add("ConnectionString", ConnectionString);
        WriteMapping(source);
        if (Proposal.Session.Title is { } title)
            source.Note($"\"Keep\": [\"{title}\"] would keep that column of archived sessions in the database, for lists of them.");
        source.Add(
            "Policies",
            new CommentedJson().Add(
                "idle",
                new CommentedJson()
                    .Add("Action", "Archive")
                    .Add("IdleFor", IdleFor, "every activity, and every time of a row below, is older than this")
                    .Add("Where", Proposal.Where, "of the preset: what it leaves out is wanted however old it is")
                    .Add("DryRun", true, "runs count and report, and change nothing. Take it out when archiver plan says what you want")
            )
        );
        var archiver = new CommentedJson().Add("Sources", new CommentedJson().Add(Source, source)).Add("Storage", WriteStorage());
        var root = new CommentedJson().Note(
            $"Written by archiver init from what is in database {Facts.Database}. Every guess has its reason beside it; change what is "
                + "wrong."
        );
        foreach (var doubt in Proposal.Doubts)
            root.Note($"Not sure: {doubt}");
        foreach (var left in Proposal.LeftOut)
            root.Note($"Left out: {left}");
        return root.Add("Archiver", archiver).ToString();
    }

    private void WriteMapping(CommentedJson source)
    {
        var session = Proposal.Session;
        var tables = new CommentedJson();
        if (Proposal.Preset is { } preset)
            source.Add("Preset", preset, session.Why);
        if (Proposal.Preset is null)
            tables.Add("Session", WriteSession(session));
        else if (Proposal.Moved && session.From is null)
            tables.Add("Session", new CommentedJson().Add("Table", session.Table.ToString()));
        var written = Proposal.Children.Where(c => !c.OfPreset || Proposal.Moved).ToList();
        if (written.Count > 0)
        {
            var children = new CommentedJson();
            foreach (var child in written)
                children.Add(child.Name, child.OfPreset ? new CommentedJson().Add("Table", child.Table.ToString()) : WriteChild(child));
            tables.Add("Children", children);
        }
        if (Proposal.Preset is null || Proposal.Moved || written.Count > 0)
            source.Add("Tables", tables);
    }

    private CommentedJson WriteSession(ProposedSession session) =>
        new CommentedJson()
            .Add("Table", session.From is null ? session.Table.ToString() : null, $"{SizeOf(session.Table)}; {session.Why}")
            .Add("From", session.From, session.Why)
            .Add("Key", Columns(session.Key))
            .Add("ExternalId", session.ExternalId, "unique, and named like the id by which applications know a session")
            .Add("Activity", new JsonArray([.. session.Activity.Select(Time)]), "when it was last used: all must be old")
            .Add("User", session.User)
            .Add("Created", Time(session.Created))
            .Add("Ended", Time(session.Ended))
            .Add("Deleted", Time(session.Deleted))
            .Add("Expires", Time(session.Expires));

    private CommentedJson WriteChild(ProposedChild child) =>
        new CommentedJson()
            .Add("Table", child.Table.ToString(), $"{SizeOf(child.Table)}; {child.Why}")
            .Add("Parent", child.Parent == ChildTables.SessionName ? null : child.Parent)
            .Add("ForeignKey", Columns(child.ForeignKey))
            .Add("ParentKey", Columns(child.ParentKey))
            .Add("Key", Columns(child.Key))
            .Add("Order", PlainJson.Texts(child.Order))
            .Add("Time", Time(child.Time), child.Time is null ? null : "a young row keeps its session")
            .Add("Deleted", Time(child.Deleted));

    private CommentedJson WriteStorage() =>
        Storage switch
        {
            { Folder: { } folder } => new CommentedJson().Add("Provider", "File").Add("Path", folder, "it must exist"),
            _ => new CommentedJson()
                .Note(
                    "Credentials: Archiver__Storage__AccessKey and Archiver__Storage__SecretKey (or ...__File=/run/secrets/x); "
                        + "without them the AWS chain is used."
                )
                .Add("Endpoint", Storage.Endpoint)
                .Add("PathStyle", Storage.PathStyle ? true : null)
                .Add("Region", Storage.Region)
                .Add("Bucket", Storage.Bucket ?? ProposedStorage.NoBucket, Storage.Bucket is null ? "not known: name it" : "it must exist"),
        };

    private static JsonNode? Columns(KeyColumns? key) =>
        key switch
        {
            null => null,
            { Only: { } only } => only,
            _ => PlainJson.Texts(key),
        };

    private static JsonNode? Time(TimeColumn? time) =>
        time switch
        {
            null => null,
            { IsPlain: true } => time.Column,
            _ => new JsonObject(
                new KeyValuePair<string, JsonNode?>[]
                {
                    new(nameof(time.Column), time.Column),
                    new(nameof(time.As), TimeColumn.Forms.FirstOrDefault(f => f.Value == time.As).Key),
                    new(nameof(time.Or), time.Or),
                    new(nameof(time.At), time.At),
                }.Where(p => p.Value is not null)
            ),
        };

    private string SizeOf(TableName name) => SizeOf(Facts.Table(name)!);

    /// <summary>A table's size, as far as the server knows it without looking.</summary>
    public static string SizeOf(FoundTable table) =>
        table.Rows is not { } rows ? "size not known"
        : table.Bytes < 1_000_000 ? $"about {Counted.Of(rows, "row")}"
        : string.Create(CultureInfo.InvariantCulture, $"about {Counted.Of(rows, "row")}, {table.Bytes / 1_000_000} MB");
}
