using System.Collections;
using System.Runtime.CompilerServices;
using Archiver.Core.Postgres;

namespace Archiver.Core.Settings;

/// <summary>The columns of a key in the order of the configuration; of most tables one. Names are exact, as the catalog has them.</summary>
[CollectionBuilder(typeof(KeyColumns), nameof(Of))]
public sealed class KeyColumns : IReadOnlyList<string>, IEquatable<KeyColumns>
{
    private readonly string[] _columns;

    private KeyColumns(string[] columns) => _columns = columns;

    public int Count => _columns.Length;

    /// <summary>The column of a key that has one only, else null.</summary>
    public string? Only => _columns is [var only] ? only : null;

    /// <summary>As a list in SQL, quoted.</summary>
    public string Sql => string.Join(", ", _columns.Select(c => PgIdentifier.Quote(c)));

    public string this[int index] => _columns[index];

    public static KeyColumns Of(ReadOnlySpan<string> columns) => new(columns.ToArray());

    public static implicit operator KeyColumns(string column) => new([column]);

    public static bool operator ==(KeyColumns? left, KeyColumns? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(KeyColumns? left, KeyColumns? right) => !(left == right);

    public bool Equals(KeyColumns? other) => other is not null && _columns.SequenceEqual(other._columns);

    public override bool Equals(object? obj) => Equals(obj as KeyColumns);

    public override int GetHashCode() => _columns.Aggregate(0, HashCode.Combine);

    public IEnumerator<string> GetEnumerator() => ((IEnumerable<string>)_columns).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>As a person reads it.</summary>
    public override string ToString() => string.Join(", ", _columns);
}
