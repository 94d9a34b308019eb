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
    public static KeyMatch Is(string key) => new(cast => $"= {(cast is null ? key : cast(key))}");

    /// <summary>It is one of these.</summary>
    /// <param name="keys">SQL of an array of the key's type.</param>
    public static KeyMatch Among(string keys) => new(cast => $"= ANY ({(cast is null ? keys : $"ARRAY(SELECT {cast("k.id")} FROM unnest({keys}) AS k (id))")})");

    /// <summary>A query gives it.</summary>
    /// <param name="key">SQL of the key's type.</param>
    /// <param name="from">The query from its FROM on.</param>
    public static KeyMatch In(string key, string from) => new(cast => $"IN (SELECT {(cast is null ? key : cast(key))} {from})");

    /// <summary>To stand behind the column.</summary>
    /// <param name="cast">Makes a value of the column's type of one of the key's; null where they are of one.</param>
    public string Sql(Func<string, string>? cast = null) => _sql(cast);
}
