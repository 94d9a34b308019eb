namespace Archiver.Worker.Access;

/// <summary>Who gave a command, as the ledger notes it.</summary>
internal static class Operator
{
    /// <summary>A person at a command line.</summary>
    public static string Name { get; } = $"{Environment.UserName}@{Environment.MachineName}";

    /// <summary>Somebody at the status page: one key opens it, so there is no name.</summary>
    public static string ByPage { get; } = $"status page on {Environment.MachineName}";

    /// <summary>A program that calls the HTTP interface.</summary>
    public static string ByHttp { get; } = $"HTTP on {Environment.MachineName}";
}
