using Archiver.Core.Settings;
using Microsoft.Extensions.Configuration;

namespace Archiver.Core.Configuration;

/// <summary>
/// How a name that the user chooses is written: configuration keys ignore case, and of several spellings (a file's <c>main</c>, the
/// environment's <c>MAIN</c>) any may come out. What the ledger keeps under a name must not depend on that.
/// </summary>
internal sealed class ConfiguredNames(IConfiguration configuration)
{
    /// <summary>
    /// Sources and policies in small letters. Children as the first that names them writes it, which is the file before the environment:
    /// documents carry their names.
    /// </summary>
    public string Of(IConfigurationSection named, string kind) =>
        kind == nameof(TablesOptions.Children) ? FirstSpelling(named) : Names.Canonical(named.Key);

    private string FirstSpelling(IConfigurationSection named)
    {
        var parent = named.Path[..^(named.Key.Length + 1)];
        var spelled = (configuration as IConfigurationRoot)
            ?.Providers.SelectMany(p => p.GetChildKeys([], parent))
            .FirstOrDefault(k => k.Equals(named.Key, StringComparison.OrdinalIgnoreCase));
        return spelled ?? named.Key;
    }
}
