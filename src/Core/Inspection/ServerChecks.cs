using Archiver.Core.Postgres;

namespace Archiver.Core.Inspection;

/// <summary>Whether server, database and role keep the promises that the delete protocol is built on.</summary>
internal static class ServerChecks
{
    /// <summary>The oldest PostgreSQL whose catalogs and functions the archiver knows.</summary>
    public static readonly Version OldestVersion = new(14, 0);

    public static void CheckVersion(Version version, Findings findings)
    {
        if (version < OldestVersion)
            findings.Problem(
                $"The server is PostgreSQL {version}, and the archiver needs {OldestVersion.Major} or later: upgrade the "
                    + "server. Nothing else was looked at."
            );
    }

    public static void Check(SourceCatalog catalog, TimeSpan? lockTimeout, Findings findings)
    {
        var server = catalog.Server;
        if (server.IsStandby)
            findings.Problem(
                "The server is a standby, where nothing can be deleted: let ConnectionString of source "
                    + $"'{catalog.Source.Name}' name the primary, or add Target Session Attributes=primary to it."
            );
        if (server.Encoding == "SQL_ASCII")
            findings.Problem(
                $"The database {server.Database} has encoding SQL_ASCII, so nobody knows what its bytes mean: dump it and "
                    + "restore it into a database with an encoding, made with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0;"
            );
        if (!server.TracksCounts)
            findings.Problem(
                "track_counts is off, and without it a cascade or trigger that deletes more rows than were archived goes unseen.",
                Set(server, "track_counts", "on")
            );
        if (server.ReplicationRole != "origin")
            findings.Problem(
                $"session_replication_role is '{server.ReplicationRole}', which switches foreign keys and triggers off for the "
                    + $"archiver. It must be 'origin' for role {server.Role} in database {server.Database}; where the application "
                    + "has this role, too, give the archiver one of its own (sql/roles.sql)."
            );
        if (server.ReadOnly && !server.IsStandby)
            findings.Problem(
                "default_transaction_read_only is on, so nothing can be deleted.",
                Set(server, "default_transaction_read_only", "off")
            );
        if (lockTimeout >= server.DeadlockTimeout)
            findings.Problem(
                $"Archiver:Batch:LockTimeout ({Milliseconds(lockTimeout.Value)}) must be below the server's deadlock_timeout "
                    + $"({Milliseconds(server.DeadlockTimeout)}), or the application becomes the victim of deadlocks: lower the one or "
                    + "raise the other.",
                $"ALTER SYSTEM SET deadlock_timeout = '{Milliseconds(lockTimeout.Value * 2)}'",
                "SELECT pg_reload_conf()"
            );
    }

    // For this role and database it outranks every other place the setting may come from.
    private static string Set(ServerFacts server, string setting, string value) =>
        $"ALTER ROLE {PgIdentifier.Quote(server.Role)} IN DATABASE {PgIdentifier.Quote(server.Database)} SET {setting} = {value}";

    private static string Milliseconds(TimeSpan value) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value.TotalMilliseconds:0}ms");
}
