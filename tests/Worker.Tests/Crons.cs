namespace Archiver.Worker.Tests;

/// <summary>Cron expressions that fire soon.</summary>
internal static class Crons
{
    internal const string Cron = "Sources:main:Policies:idle:Cron";
    internal const string EverySecond = "* * * * * ?";
    internal const string EveryYear = "0 0 2 1 1 ?";
}
