using System.Net.Sockets;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Worker.Access;

/// <summary>The one place where a database error of a reading verb becomes the sentence for a person that names the setting.</summary>
internal sealed class SourceErrors(ConnectionCatalog connections)
{
    /// <summary>Runs work on a source's database.</summary>
    /// <exception cref="ArchiverException">The server failed; runs turn their errors into summaries themselves.</exception>
    public async Task<T> ExplainAsync<T>(SourceSettings source, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (exception is NpgsqlException or SocketException or TimeoutException)
        {
            throw await connections[source.Name].ForPersonAsync(exception);
        }
    }
}
