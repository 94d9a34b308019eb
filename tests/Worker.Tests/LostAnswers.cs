using Archiver.Testing.Proof;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>A server whose answers to commits are lost.</summary>
internal static class LostAnswers
{
    // With its end: "READ COMMITTED" is no commit.
    internal const string Commit = "COMMIT\0";

    internal static TcpRelay Between(Installation archiver)
    {
        var server = new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString);
        var relay = new TcpRelay(server.Host!, server.Port);
        (server.Host, server.Port, server.SslMode) = ("127.0.0.1", relay.Port, SslMode.Disable);
        archiver.With(
            $"Sources:{(archiver.Value("Sources:main:Preset") is null ? "chat" : "main")}:ConnectionString",
            server.ConnectionString
        );
        return relay;
    }
}
