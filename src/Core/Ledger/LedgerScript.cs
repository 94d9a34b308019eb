using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Ledger;

/// <summary>One of the numbered scripts in <c>sql/ledger</c>, which make the ledger and bring it up to date; they are embedded.</summary>
internal sealed record LedgerScript(int Version, string Name, string Sql, string Sha256)
{
    private const string Prefix = "sql.ledger.";

    // Read once: each command and each run compares all of them with the ledger's.
    private static readonly IReadOnlyList<LedgerScript> All = ReadAll();

    /// <summary>Scripts that are not among the applied ones, given by version with their SHA-256, oldest first.</summary>
    /// <exception cref="ArchiverException">
    /// The ledger is newer than this program, or an applied script was edited; kind Refused.
    /// </exception>
    public static IEnumerable<LedgerScript> Missing(Dictionary<int, string> applied)
    {
        if (applied.Count > 0 && applied.Keys.Max() > All[^1].Version)
            throw new ArchiverException(
                FailureKind.Refused,
                $"The ledger is at version {applied.Keys.Max()}, this program knows {All[^1].Version}: a newer archiver has been here. "
                    + "Upgrade this one."
            );
        foreach (var script in All)
        {
            if (!applied.TryGetValue(script.Version, out var sha256))
                yield return script;
            else if (sha256 != script.Sha256)
                throw new ArchiverException(
                    FailureKind.Refused,
                    $"Ledger script {script.Name} differs from the one that was applied to this database. Use the archiver version that "
                        + "created the ledger, or a newer release."
                );
        }
    }

    private static List<LedgerScript> ReadAll()
    {
        var assembly = typeof(LedgerScript).Assembly;
        return
        [
            .. assembly
                .GetManifestResourceNames()
                .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name => Read(assembly, name)),
        ];
    }

    private static LedgerScript Read(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
        var sql = reader.ReadToEnd().ReplaceLineEndings("\n");
        var name = resource[Prefix.Length..];
        var version = int.Parse(name[..4], CultureInfo.InvariantCulture);
        return new(version, name, sql, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))));
    }
}
