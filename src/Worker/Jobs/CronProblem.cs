using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>Says what Quartz would say to a cron expression, when the configuration is read and not when the schedule starts.</summary>
internal static class CronProblem
{
    // Of an expression with a year that is over this tells that it had a time: nothing is wrong with it but its age.
    private static readonly DateTimeOffset BeforeAll = DateTimeOffset.UnixEpoch.AddDays(-2);

    /// <summary>What is wrong, or null.</summary>
    public static string? Of(string expression)
    {
        try
        {
            return CronExpression.Parse(expression).GetNextValidTimeAfter(BeforeAll) is null
                ? "must have a time that comes: no year has such a date"
                : null;
        }
        catch (FormatException exception)
        {
            return $"must be a Quartz cron expression such as 0 0 2 * * ?: {exception.Message}";
        }
    }
}
