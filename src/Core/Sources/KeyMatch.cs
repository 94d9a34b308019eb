namespace Archiver.Core.Sources;

/// <summary>A condition on a session's key, for whatever column holds it: the key's own, or a child's of another type.</summary>
internal sealed class KeyMatch
{
    private readonly Func<Func<string, string>?, string> _sql;

    private KeyMatch(Func<Func<string, string>?, string> sql) => _sql = sql;

    /// <summary>Types whose values compare with each other without losing an index; other types are their own family.</summary>
    public static string Family(string baseType) => baseType switch
    {
        "text" or "character varying" => "text",
        "smallint" or "integer" or "bigint" => "integer",
        _ => baseType,
    };

    /// <summary>It is this key.</summary>
    /// <param name="key">SQL of the key's type.</param>
    public static KeyMatch Is(string key) => new(values => values is null ? $"= {key}" : $"= ANY ({values(key)})");

    /// <summary>It is one of these.</summary>
    /// <param name="keys">SQL of an array of the key's type.</param>
    public static KeyMatch Among(string keys) => new(values => values is null ? $"= ANY ({keys})" : $"= ANY (ARRAY(SELECT unnest({values("k.id")}) FROM unnest({keys}) AS k (id)))");

    /// <summary>A query gives it.</summary>
    /// <param name="key">SQL of the key's type.</param>
    /// <param name="from">The query from its FROM on.</param>
    public static KeyMatch In(string key, string from) => new(values => $"IN (SELECT {(values is null ? key : $"unnest({values(key)})")} {from})");

    /// <summary>To stand behind the column.</summary>
    /// <param name="values">Makes an array of the column's type of one of the keys; null where they are of one type.</param>
    public string Sql(Func<string, string>? values = null) => _sql(values);
}
