using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;

namespace Archiver.Integration.Tests.Proof;

/// <summary>A source whose server is reached through a relay.</summary>
internal static class RelayedSource
{
    /// <summary>A relay to the shared server.</summary>
    internal static TcpRelay RelayTo(TestServers servers)
    {
        var server = new NpgsqlConnectionStringBuilder(servers.PostgresConnectionString);
        return new(server.Host!, server.Port);
    }

    /// <summary>The settings with the relay before the server of their only source.</summary>
    internal static ArchiverSettings Through(this ArchiverSettings settings, TcpRelay relay) =>
        settings with
        {
            Sources =
            [
                settings.Sources[0] with
                {
                    ConnectionString = new NpgsqlConnectionStringBuilder(settings.Sources[0].ConnectionString)
                    {
                        Host = "127.0.0.1",
                        Port = relay.Port,
                        SslMode = SslMode.Disable,
                    }.ConnectionString,
                },
            ],
        };
}
