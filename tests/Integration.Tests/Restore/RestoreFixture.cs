using Archiver.Core.Pipelines;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Archiver.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Integration.Tests.Restore;

/// <summary>Restores from an <see cref="ArchiverFixture"/>, as the command line would.</summary>
internal static class RestoreFixture
{
    /// <summary>All that was archived and can be put back.</summary>
    public static RestoreOptions Everything =>
        new()
        {
            Source = "main",
            Who = "test",
            From = DateTimeOffset.UnixEpoch,
        };

    public static RestoreOptions Session(params string[] ids) =>
        new()
        {
            Source = "main",
            Who = "test",
            Ids = ids,
        };

    public static async Task<RestoreReport> RestoreAsync(
        this ArchiverFixture archiver,
        RestoreOptions options,
        CancellationToken cancellationToken,
        IArchiveReader? store = null,
        ArchiverSettings? settings = null,
        IProgress<RestoreProgress>? progress = null
    )
    {
        settings ??= archiver.Settings;
        await using var connections = new ConnectionCatalog(settings);
        var policies = new PolicyRunner(settings, connections, archiver.Store, TimeProvider.System, NullLogger<PolicyRunner>.Instance);
        return await new RestoreRunner(
            settings,
            connections,
            store ?? archiver.Store,
            policies,
            TimeProvider.System,
            NullLogger<RestoreRunner>.Instance
        ).RunAsync(options, progress, cancellationToken);
    }

    /// <summary>
    /// Every mapped table in COPY form, rows in the order of their keys. The one thing that a document does not keep is evened out: a line
    /// break between tokens of a json value is a space in it (docs/format.md), and the sample of soft-delete has one.
    /// </summary>
    public static async Task<string> CopyTablesAsync(this TestDatabase database, ArchiverFixture archiver, string? schema = null)
    {
        var map = archiver.Source.Map;
        var text = "";
        foreach (var (table, key) in map.Children.Select(c => (c.Table, c.Key!)).Prepend((map.Session.Table, map.Session.Key)))
            text += await database.CopyOutAsync(
                $"SELECT * FROM {(schema is null ? table : table with { Schema = schema }).Sql} ORDER BY {key}"
            );
        return text.Replace("\"dark\",\\n \"zoom\"", "\"dark\",  \"zoom\"", StringComparison.Ordinal);
    }
}
