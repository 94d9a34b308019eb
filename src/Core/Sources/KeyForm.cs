using System.Globalization;
using System.Text.RegularExpressions;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>
/// How a session's key and its id become each other. A key of one column is its own id. One of several columns is one text to the ledger,
/// in names of objects and to people: the JSON array of its columns' texts, <c>["app","u1","main"]</c> (docs/adr/0018-composite-keys.md).
/// The tables are asked column by column.
/// </summary>
internal sealed partial class KeyForm
{
    private const string Time = "(-?infinity|[0-9]{4,}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T[0-9:.]+)?( BC)?Z?)";

    private const string Number = "^(0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)[.][0-9]*[1-9]|NaN|-?Infinity)";

    private readonly KeyColumns _columns;
    private readonly SourceShape _shape;

    private KeyForm(KeyColumns columns, SourceShape shape) => (_columns, _shape) = (columns, shape);

    /// <summary>Of a source's sessions.</summary>
    public static KeyForm Of(SourceMap map, SourceShape shape) => new(map.Session.Key, shape);

    /// <summary>Type of an id, to cast parameters to.</summary>
    public string Type => _columns.Only is { } only ? _shape.Session[only].CastType : "text";

    /// <summary>The key of a session row.</summary>
    public SessionKey Of(string alias) => Of([.. _columns.Select(c => SessionPath.Column(alias, c))]);

    /// <summary>The key that other columns hold.</summary>
    /// <param name="values">SQL of a value for each of its columns.</param>
    public SessionKey Of(IReadOnlyList<string> values)
    {
        if (values is [var only])
            return new(values, Canonical(only, _shape.Session[_columns[0]].BaseType));
        var texts = values.Select((v, i) => Text(v, _shape.Session[_columns[i]].BaseType));
        return new(values, $"to_json(ARRAY[{string.Join(", ", texts)}])::text");
    }

    /// <summary>The key of an id.</summary>
    /// <param name="id">SQL of <see cref="Type"/>.</param>
    public SessionKey Parse(string id)
    {
        if (_columns.Count == 1)
            return new([id], id);
        // An id from the time when the key had one column finds no rows, and fails no query.
        var array = $"(CASE WHEN {id} LIKE '[\"%' THEN {id}::json END)";
        return new([.. _columns.Select((c, i) => $"({array} ->> {i})::{_shape.Session[c].CastType}")], id);
    }

    /// <summary>
    /// The key of an id that the ledger has. It may be from the time when the key had another type: such a one finds no rows, also where it
    /// reads like another's ('007' is not the 7 of now), and fails no query.
    /// </summary>
    /// <param name="id">SQL of a text.</param>
    public SessionKey Known(string id)
    {
        if (_columns.Only is { } only)
            return new([Value(id, _shape.Session[only])], id);
        var array = $"(CASE WHEN {id} LIKE '[\"%' THEN ({id})::json END)";
        return new([.. _columns.Select((c, i) => Value($"({array} ->> {i})", _shape.Session[c]))], id);
    }

    /// <summary>The parameter of a statement that looks for rows by ids: the array of those that are <see cref="Possible"/>.</summary>
    /// <param name="ids">Of the ledger, of tombstones or of documents.</param>
    public NpgsqlParameter Parameter(IEnumerable<string> ids) => PgParameter.Texts(Possible(ids));

    /// <summary>
    /// Those of some ids that a row can have now. The others are from the time when the key had another type. Their rows are gone, and one
    /// of them among the parameters would fail the query for all.
    /// </summary>
    /// <param name="ids">Of the ledger, of tombstones or of documents.</param>
    public IEnumerable<string> Possible(IEnumerable<string> ids) => ids.Where(IsPossible);

    private bool IsPossible(string id) =>
        _columns.Only is { } only
            ? IsWritten(id, _shape.Session[only].BaseType)
            : SessionIdText.Read(id, _columns.Count) is { } values
                && values.Zip(_columns).All(v => IsWritten(v.First, _shape.Session[v.Second].BaseType));

    /// <summary>
    /// A column's value as it stands in an id. Times are as a document has them, whatever the settings of the connection. Numbers are
    /// without zeros at the end: 7 and 7.00 are one session, whichever a row says or the column's scale makes of it.
    /// </summary>
    public static string Text(string value, string baseType) =>
        baseType switch
        {
            "timestamp without time zone" or "date" => $"(to_json({value}) #>> '{{}}')",
            "timestamp with time zone" => Instant(value),
            _ => $"{Canonical(value, baseType)}::text",
        };

    // Whether the server writes some value of the type so. It writes each in one way: "007" is no bigint's text, and was another session
    // than the one that is 7 now.
    private static bool IsWritten(string text, string baseType) =>
        baseType switch
        {
            "uuid" => Guid.TryParseExact(text, "D", out var value) && value.ToString() == text,
            "smallint" => IsInteger(text, short.MinValue, short.MaxValue),
            "integer" => IsInteger(text, int.MinValue, int.MaxValue),
            "bigint" => IsInteger(text, long.MinValue, long.MaxValue),
            "numeric" => NumberText().IsMatch(text),
            "character" => !text.EndsWith(' '),
            "timestamp with time zone" or "timestamp without time zone" or "date" => TimeText().IsMatch(text),
            _ => true,
        };

    private static bool IsInteger(string text, long least, long most) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
        && value >= least
        && value <= most
        && value.ToString(CultureInfo.InvariantCulture) == text;

    // NULL for a text that the server writes for no value of the type: the SQL of IsWritten.
    private static string Value(string text, ColumnShape column) =>
        column.BaseType switch
        {
            "uuid" => $"CASE WHEN {text} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN ({text})::uuid END",
            "smallint" => Integer(text, "smallint", short.MinValue, short.MaxValue),
            "integer" => Integer(text, "integer", int.MinValue, int.MaxValue),
            "bigint" => Integer(text, "bigint", long.MinValue, long.MaxValue),
            "numeric" => $"CASE WHEN {text} ~ '{Number}$' THEN ({text})::numeric END",
            "character" => $"CASE WHEN {text} NOT LIKE '% ' THEN ({text})::{column.CastType} END",
            "timestamp with time zone" or "timestamp without time zone" or "date" =>
                $"CASE WHEN {text} ~ '^{Time}$' THEN ({text})::{column.CastType} END",
            _ => $"({text})::{column.CastType}",
        };

    private static string Integer(string text, string type, long least, long most) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"CASE WHEN {text} ~ '^(0|-?[1-9][0-9]{{0,18}})$' THEN CASE WHEN ({text})::numeric BETWEEN {least} AND {most} "
                + $"THEN ({text})::{type} END END"
        );

    [GeneratedRegex($@"{Number}\z")]
    private static partial Regex NumberText();

    [GeneratedRegex($@"^{Time}\z")]
    private static partial Regex TimeText();

    private static string Canonical(string value, string baseType) => baseType == "numeric" ? $"trim_scale({value})" : value;

    private static string Instant(string value) =>
        $"CASE WHEN isfinite({value}) THEN (to_json({value} AT TIME ZONE 'UTC') #>> '{{}}') || 'Z' ELSE (to_json({value}) #>> '{{}}') END";
}
