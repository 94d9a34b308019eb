namespace Archiver.Worker.Commands;

/// <summary>Who gave a command, as the ledger notes it.</summary>
internal static class Operator
{
    public static string Name { get; } = $"{Environment.UserName}@{Environment.MachineName}";
}
