namespace Archiver.Core.Configuration;

/// <summary>Section <c>Tables</c> as written: the mapping of a schema, or single values that differ from the source's preset.</summary>
internal sealed class TablesOptions
{
    public SessionTableOptions? Session { get; set; }

    public Dictionary<string, ChildTableOptions>? Children { get; set; }
}
