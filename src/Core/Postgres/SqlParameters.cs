using System.Globalization;
using Npgsql;

namespace Archiver.Core.Postgres;

/// <summary>Collects positional parameters while a statement is put together.</summary>
internal sealed class SqlParameters
{
    private readonly List<NpgsqlParameter> _values = [];

    /// <summary>Adds a parameter and returns its placeholder, <c>$1</c>, <c>$2</c>, ...</summary>
    public string Add(NpgsqlParameter parameter)
    {
        _values.Add(parameter);
        return string.Create(CultureInfo.InvariantCulture, $"${_values.Count}");
    }

    /// <summary>The parameters in order; each command needs its own copies.</summary>
    public NpgsqlParameter[] ToArray() => [.. _values.Select(p => p.Clone())];
}
