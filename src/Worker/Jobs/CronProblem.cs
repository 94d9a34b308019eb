using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>Says what Quartz would say to a cron expression, when the configuration is read and not when the schedule starts.</summary>
internal static class CronProblem
{
    /// <summary>What is wrong, or null.</summary>
    public static string? Of(string expression)
    {
        try
        {
            _ = CronExpression.Parse(expression);
            return null;
        }
        catch (FormatException exception)
        {
            return $"must be a Quartz cron expression such as 0 0 2 * * ?: {exception.Message}";
        }
    }
}
