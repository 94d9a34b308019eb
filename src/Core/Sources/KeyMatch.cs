namespace Archiver.Core.Sources;

/// <summary>A condition on a session's key, for whatever columns hold it: the key's own, or a child's of another type.</summary>
internal sealed class KeyMatch
{
    private readonly Func<SessionKey, Func<string, string>?, string> _sql;

    private KeyMatch(Func<SessionKey, Func<string, string>?, string> sql) => _sql = sql;

    /// <summary>Types whose values compare with each other without losing an index; other types are their own family.</summary>
    public static string Family(string baseType) =>
        baseType switch
        {
            "text" or "character varying" => "text",
            "smallint" or "integer" or "bigint" => "integer",
            _ => baseType,
        };

    /// <summary>It is this key.</summary>
    public static KeyMatch Is(SessionKey key) =>
        new((held, values) => values is null ? held.Is(key) : $"{held.Row} = ANY ({values(key.Row)})");

    /// <summary>Its id is one of these.</summary>
    /// <param name="form">What the ids are of.</param>
    /// <param name="ids">SQL of an array of texts.</param>
    public static KeyMatch Among(KeyForm form, string ids) =>
        new(
            (held, values) =>
                values is not null
                    ? $"{held.Row} = ANY (ARRAY(SELECT unnest({values("k.id")}) FROM unnest({ids}::{form.Type}[]) AS k (id)))"
                : held.Values.Count == 1 ? $"{held.Row} = ANY ({ids}::{form.Type}[])"
                : $"{held.Row} IN (SELECT {form.Parse("k.id").List} FROM unnest({ids}::text[]) AS k (id))"
        );

    /// <summary>A query gives it.</summary>
    /// <param name="key">In the query.</param>
    /// <param name="from">The query from its FROM on.</param>
    public static KeyMatch In(SessionKey key, string from) =>
        new((held, values) => $"{held.Row} IN (SELECT {(values is null ? key.List : $"unnest({values(key.Row)})")} {from})");

    /// <summary>The condition.</summary>
    /// <param name="held">The columns that hold the key.</param>
    /// <param name="values">Makes an array of the column's type of one of the keys; null where they are of one type.</param>
    public string Sql(SessionKey held, Func<string, string>? values = null) => _sql(held, values);
}
